-- Screens of the kitchen display that were admitted. The token is known to the screen alone: here is its SHA-256.
create table screens (
  screen_id text primary key,
  name text not null,
  -- null: the screen shows every store of the chain.
  store_id text,
  token_hash bytea not null unique check (length(token_hash) = 32),
  created_at timestamptz not null default now(),
  seen_at timestamptz,
  expires_at timestamptz not null,
  revoked_at timestamptz
);

create index screens_by_store on screens (store_id);

-- Screens that show a code and wait to be admitted. The hash becomes that of the screen.
create table screen_pairings (
  code text primary key,
  token_hash bytea not null unique check (length(token_hash) = 32),
  -- What the page's address names, for the person who admits it; null: the page of the chain.
  wants_store text,
  -- From where the page asked, for the same person.
  address text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
