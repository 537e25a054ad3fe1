// Who may do what in the database: one table for `migrate`, for the statements that make the roles, and for their test.

/** Rights as in PostgreSQL's own lists: a = insert, r = select, w = update, d = delete. */
export type Rights = string;

/** Group roles without a login. The logins of a deployment are their members. */
export const groupRoles = {
  ordermesh_owner: 'owns every table; `ordermesh migrate` works as this role',
  ordermesh_intake: 'gateways: read menus and what became of an order, change what a store can sell',
  ordermesh_worker: 'order-validator, payment, kitchen, bridge and the loyalty function',
  ordermesh_display: 'kitchen displays: read tickets, hear of changed ones',
  ordermesh_operator: 'commands: dlt, audit, menu load, topics apply, region, database',
} as const;

export type GroupRole = keyof typeof groupRoles;

/** What a role may do beside the owner, who may do everything. */
export type Grantee = 'intake' | 'worker' | 'display' | 'operator';

type TableRights = Partial<Record<Grantee, Rights>>;

/** Every table and view, with the rights of each role. A table that is missing here fails `migrate`'s test. */
export const tableRights: Readonly<Record<string, TableRights>> = {
  migrations: { intake: 'r', worker: 'r', display: 'r', operator: 'r' },
  menu_state: { intake: 'r', worker: 'r', operator: 'rw' },
  menu_items: { worker: 'r', display: 'r', operator: 'arwd' },
  menu_versions: { intake: 'r', worker: 'r', display: 'r', operator: 'arwd' },
  // Gateways change what a store can sell and what it has counted, as `ordermesh menu` does.
  store_menu_state: { intake: 'arw', operator: 'arw' },
  menu_outages: { intake: 'arwd', worker: 'r', display: 'r', operator: 'arwd' },
  stock_corrections: { intake: 'ar', operator: 'ar' },
  stores: { worker: 'r', display: 'r', operator: 'arwd' },
  stock_positions: { intake: 'r', worker: 'r', operator: 'arw' },
  // Menu load and a restore from the log lock and write shelves as the order-validator does.
  store_stock: { intake: 'rw', worker: 'rw', operator: 'arw' },
  store_stock_loaded: { worker: 'r', operator: 'arw' },
  inventory: { operator: 'r' },
  // Update: an order that is not paid gives back its stock.
  orders: { intake: 'r', worker: 'arw', display: 'r', operator: 'arw' },
  order_conflicts: { intake: 'r', worker: 'arw', operator: 'arw' },
  // Velocity counts are written by the order-validator alone.
  velocity: { worker: 'arwd', operator: 'r' },
  payments: { intake: 'r', worker: 'ar', display: 'r', operator: 'ar' },
  // A refund locks its charge.
  'simulated_provider.charges': { worker: 'arw', operator: 'rw' },
  provider_events: { worker: 'ar', operator: 'r' },
  disputes: { worker: 'arw', operator: 'r' },
  'simulated_provider.refunds': { worker: 'ar', operator: 'ar' },
  tickets: { intake: 'r', worker: 'arw', display: 'r', operator: 'r' },
  // Displays give out codes and note when a screen was seen; who admits a screen is an operator.
  screens: { display: 'rw', operator: 'arw' },
  screen_pairings: { display: 'ard', operator: 'rd' },
  ignored_kitchen_events: { worker: 'ar', operator: 'r' },
  // Update, because the fence locks the rows for share.
  assignment_epochs: { worker: 'arw', operator: 'r' },
  parked_keys: { intake: 'r', worker: 'arwd', operator: 'arw' },
  dead_letters: { intake: 'r', worker: 'arwd', operator: 'arw' },
  dead_letter_acts: { intake: 'r', worker: 'rwd', operator: 'ar' },
  dead_letter_trace: { intake: 'r', worker: 'ard', operator: 'ar' },
  partition_logs: { worker: 'arw', operator: 'r' },
  skipped_ranges: { worker: 'arw', operator: 'r' },
  topic_partitions: { worker: 'arw', operator: 'arw' },
  loyalty_ledger: { worker: 'ar', operator: 'r' },
  loyalty_balances: { worker: 'r', operator: 'r' },
  loyalty_refused: { worker: 'ar', operator: 'r' },
};

/** Schemas beside `public` that hold tables. */
export const schemas = ['simulated_provider'] as const;

const privileges = { a: 'INSERT', r: 'SELECT', w: 'UPDATE', d: 'DELETE' } as const;

/** One privilege on one table, as PostgreSQL names it. */
export interface Grant {
  table: string;
  role: GroupRole;
  privilege: (typeof privileges)[keyof typeof privileges];
}

/** The whole table above, one line for each privilege. */
export function allGrants(): Grant[] {
  return Object.entries(tableRights).flatMap(([table, rights]) =>
    Object.entries(rights).flatMap(([grantee, letters]) =>
      [...letters].map((letter) => ({
        table,
        role: `ordermesh_${grantee}` as GroupRole,
        privilege: privileges[letter as keyof typeof privileges],
      })),
    ),
  );
}
