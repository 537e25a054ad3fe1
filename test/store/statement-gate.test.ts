import postgres from 'postgres';
import { expect, expectTypeOf, test } from 'vitest';
import type { Transaction, TurnMember, TurnSql } from '../../store/database/database.ts';
import { StatementGate } from '../../store/database/statement-gate.ts';

test('an actor gets what works inside a turn; the type and the gate refuse the rest', async () => {
  // It connects with its first statement, and there is none.
  const driver = postgres('postgres://127.0.0.1:1/none') as unknown as postgres.ReservedSql;
  const { sql } = new StatementGate(driver, () => {});
  expectTypeOf<TurnMember>().toEqualTypeOf<'unsafe' | 'array' | 'json' | 'typed' | 'types'>();
  for (const member of ['unsafe', 'array', 'json', 'typed', 'types'] as const) expect(sql[member]).toBeDefined();
  for (const member of ['file', 'notify', 'begin', 'savepoint', 'listen', 'end'])
    expect(() => Reflect.get(sql, member)).toThrow(`${member} is not for use inside a transaction of a turn`);
  // @ts-expect-error: its notification would be sent on the driver's own connection.
  expect(() => sql.notify('channel', '')).toThrow(TypeError);
  expectTypeOf<TurnSql>().toExtend<Transaction>();
  await driver.end();
});
