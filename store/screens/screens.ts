// The screens of the kitchen display: who was admitted, and who waits with a code. Called by the display and by `ordermesh display`.

import { newScreenId, SCREEN_KEPT_MS, SCREEN_SEEN_EVERY_MS } from '../../contracts/screens.ts';
import type { Database } from '../database/database.ts';

/** A screen that may show tickets. */
export interface AdmittedScreen {
  screenId: string;
  name: string;
  /** `undefined`: every store of the chain. */
  storeId: string | undefined;
}

export interface ScreenRow extends AdmittedScreen {
  createdAt: Date;
  /** `undefined` while the screen has not connected. */
  seenAt: Date | undefined;
  expiresAt: Date;
  revokedAt: Date | undefined;
}

/** A page that shows a code. */
export interface Pairing {
  code: string;
  /** The store that the page's address names; `undefined`: the page of the chain. */
  wantsStore: string | undefined;
  /** From where the page asked. */
  address: string;
  expiresAt: Date;
}

export interface NewPairing {
  code: string;
  /** SHA-256 of the token that the page has kept. */
  tokenHash: Buffer;
  wantsStore: string | undefined;
  address: string;
  ttlMs: number;
  /** Codes that may be open at a time, of all pages and of one address. */
  openMax: number;
  openOfAddressMax: number;
}

/** From now on; the clock is the database's. */
const keptUntil = (sql: Database) => sql`now() + make_interval(secs => ${SCREEN_KEPT_MS / 1_000})`;

const columns = (sql: Database) => sql`
  screen_id as "screenId", name, store_id as "storeId", created_at as "createdAt", seen_at as "seenAt",
  expires_at as "expiresAt", revoked_at as "revokedAt"`;

type Nullable<T> = { [Name in keyof T]: undefined extends T[Name] ? Exclude<T[Name], undefined> | null : T[Name] };

/** The driver gives null where the product says undefined. */
function defined<T extends object>(row: Nullable<T>): T {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? undefined])) as T;
}

/** The screen with this token, unless it was revoked or has expired. */
export async function findScreen(sql: Database, tokenHash: Buffer): Promise<AdmittedScreen | undefined> {
  const [row] = await sql<Nullable<AdmittedScreen>[]>`
    select screen_id as "screenId", name, store_id as "storeId" from screens
    where token_hash = ${tokenHash} and revoked_at is null and expires_at > now()`;
  return row && defined<AdmittedScreen>(row);
}

/** Which of these screens are still admitted. Notes that they are in use, which renews them. */
export async function renewScreens(sql: Database, screenIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ screenId: string; isDue: boolean }[]>`
    select screen_id as "screenId",
      coalesce(seen_at < now() - make_interval(secs => ${SCREEN_SEEN_EVERY_MS / 1_000}), true) as "isDue"
    from screens where screen_id = any(${screenIds as string[]}) and revoked_at is null and expires_at > now()`;
  const due = rows.filter(({ isDue }) => isDue).map(({ screenId }) => screenId);
  if (due.length > 0)
    await sql`
      update screens set seen_at = now(), expires_at = ${keptUntil(sql)}
      where screen_id = any(${due}) and revoked_at is null`;
  return new Set(rows.map(({ screenId }) => screenId));
}

/** The open code of a page; `undefined` when the page has none, or none any more. */
export async function pairingOf(sql: Database, tokenHash: Buffer): Promise<Pairing | undefined> {
  const [row] = await sql<Nullable<Pairing>[]>`
    select code, wants_store as "wantsStore", address, expires_at as "expiresAt" from screen_pairings
    where token_hash = ${tokenHash} and expires_at > now()`;
  return row && defined<Pairing>(row);
}

/** Keeps a code for a page, and forgets those that have expired. @returns `full` when too many are open; `taken` when another page has this code */
export async function openPairing(sql: Database, pairing: NewPairing): Promise<Pairing | 'full' | 'taken'> {
  const { code, tokenHash, wantsStore = null, address, ttlMs, openMax, openOfAddressMax } = pairing;
  await sql`delete from screen_pairings where expires_at <= now()`;
  const [open] = await sql<{ all: number; ofAddress: number }[]>`
    select count(*)::integer as all, (count(*) filter (where address = ${address}))::integer as "ofAddress"
    from screen_pairings`;
  if (open === undefined || open.all >= openMax || open.ofAddress >= openOfAddressMax) return 'full';
  const [row] = await sql<Nullable<Pairing>[]>`
    insert into screen_pairings (code, token_hash, wants_store, address, expires_at)
    values (${code}, ${tokenHash}, ${wantsStore}, ${address}, now() + make_interval(secs => ${ttlMs / 1_000}))
    on conflict do nothing
    returning code, wants_store as "wantsStore", address, expires_at as "expiresAt"`;
  return row === undefined ? 'taken' : defined<Pairing>(row);
}

/** The page that shows this code; `undefined` for a code that is unknown, used or expired. */
export async function findPairing(sql: Database, code: string): Promise<Pairing | undefined> {
  const [row] = await sql<Nullable<Pairing>[]>`
    select code, wants_store as "wantsStore", address, expires_at as "expiresAt" from screen_pairings
    where code = ${code} and expires_at > now()`;
  return row && defined<Pairing>(row);
}

/** Admits the page that shows the code. One statement, so a code admits one screen. @returns `undefined` for a code that is unknown, used or expired */
export async function admitPairing(
  sql: Database,
  code: string,
  { name, storeId }: Pick<AdmittedScreen, 'name' | 'storeId'>,
): Promise<ScreenRow | undefined> {
  const [row] = await sql<Nullable<ScreenRow>[]>`
    with used as (delete from screen_pairings where code = ${code} and expires_at > now() returning token_hash)
    insert into screens (screen_id, name, store_id, token_hash, expires_at)
    select ${newScreenId()}, ${name}, ${storeId ?? null}, token_hash, ${keptUntil(sql)}
    from used returning ${columns(sql)}`;
  return row && defined<ScreenRow>(row);
}

/** A screen that was given its token otherwise than by a code: the agent of a restaurant. */
export async function admitToken(
  sql: Database,
  tokenHash: Buffer,
  { name, storeId }: Pick<AdmittedScreen, 'name' | 'storeId'>,
): Promise<ScreenRow> {
  const [row] = await sql<Nullable<ScreenRow>[]>`
    insert into screens (screen_id, name, store_id, token_hash, expires_at)
    values (${newScreenId()}, ${name}, ${storeId ?? null}, ${tokenHash}, ${keptUntil(sql)})
    returning ${columns(sql)}`;
  return defined<ScreenRow>(row as Nullable<ScreenRow>);
}

/** The screens by store and name. Those that were revoked or have expired only with `all`. */
export async function listScreens(
  sql: Database,
  { storeId, all = false }: { storeId?: string | undefined; all?: boolean },
): Promise<ScreenRow[]> {
  const rows = await sql<Nullable<ScreenRow>[]>`
    select ${columns(sql)} from screens
    where (${storeId ?? null}::text is null or store_id = ${storeId ?? null})
      and (${all} or (revoked_at is null and expires_at > now()))
    order by store_id nulls first, name, created_at`;
  return rows.map((row) => defined<ScreenRow>(row));
}

/** @returns the screens that were admitted until now */
export async function revokeScreens(
  sql: Database,
  which: { screenId: string } | { storeId: string },
): Promise<ScreenRow[]> {
  const condition = 'screenId' in which ? sql`screen_id = ${which.screenId}` : sql`store_id = ${which.storeId}`;
  const rows = await sql<Nullable<ScreenRow>[]>`
    update screens set revoked_at = now() where ${condition} and revoked_at is null returning ${columns(sql)}`;
  return rows.map((row) => defined<ScreenRow>(row));
}
