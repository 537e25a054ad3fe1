/**
 * Whose fault an SQLSTATE is.
 *
 * - `message`: the values are at fault, and will be the next time too. The message is tried alone, then parked.
 * - `conflict`: two transactions were in each other's way. Neither is wrong; repeated at once, the statement succeeds.
 * - `server`: the server as a whole can't work now. Trying the messages one by one shows nothing.
 * - `statement`: the server or the deployment refused a statement, but not because of its values. It is waited out like an outage, but it
 *   may concern one row only (a lock, a damaged page). Tried alone, the other messages go on, and the rest waits.
 */
export type SqlFault = 'message' | 'conflict' | 'server' | 'statement';

interface ClassRule {
  fault: SqlFault;
  why: string;
  /** Codes of the class with another fault. */
  except?: Readonly<Record<string, SqlFault>>;
}

/**
 * Every class in appendix A of the PostgreSQL manual. A wrong deployment (credentials, a missing schema, statements that don't fit it) is
 * an outage; otherwise it would park one good order after the other.
 */
export const sqlStateClasses: Readonly<Record<string, ClassRule>> = {
  '00': { fault: 'message', why: 'success; never an error' },
  '01': { fault: 'message', why: 'a warning that a function raised as an error: about the values it was given' },
  '02': { fault: 'message', why: 'no data where a function expected some' },
  '03': { fault: 'statement', why: 'SQL statement not yet complete: the session is out of step' },
  '08': { fault: 'server', why: 'the connection', except: { '08P01': 'statement' } },
  '09': { fault: 'message', why: 'a triggered action failed on this row' },
  '0A': {
    fault: 'statement',
    why: 'a standby answers `begin read write` with it, and a migrated table a prepared statement',
  },
  '0B': { fault: 'statement', why: 'invalid transaction initiation: the session is out of step' },
  '0F': { fault: 'message', why: 'a large object that the value names' },
  '0L': { fault: 'statement', why: 'grants of the deployment' },
  '0P': { fault: 'statement', why: 'roles of the deployment' },
  '0Z': { fault: 'statement', why: 'a function handles its diagnostics wrongly' },
  '10': { fault: 'message', why: 'an XQuery over the value' },
  '20': { fault: 'message', why: 'a function has no case for the value' },
  '21': { fault: 'message', why: 'two rows where one may be: alone it succeeds, or it is poison' },
  '22': { fault: 'message', why: 'the value does not fit its type: NUL, overflow, an impossible time' },
  '23': { fault: 'message', why: 'the row breaks a constraint' },
  '24': { fault: 'statement', why: 'invalid cursor state: the session is out of step' },
  '25': {
    fault: 'statement',
    why: 'state of the transaction; 25006 is a server that takes no writes, 25P03 and 25P04 are time limits of the server',
    except: { '25006': 'server', '25P03': 'server', '25P04': 'server' },
  },
  '26': { fault: 'statement', why: 'a prepared statement is gone: a pooler, or DISCARD' },
  '27': { fault: 'message', why: 'a trigger changes the row that is being changed' },
  '28': { fault: 'server', why: 'credentials' },
  '2B': { fault: 'statement', why: 'grants of the deployment' },
  '2D': { fault: 'statement', why: 'invalid transaction termination: the session is out of step' },
  '2F': { fault: 'message', why: 'a function failed on the values it was given' },
  '34': { fault: 'statement', why: 'invalid cursor name: the session is out of step' },
  '38': { fault: 'message', why: 'an external function failed on the values it was given' },
  '39': { fault: 'message', why: 'an external function was called with values it does not take' },
  '3B': { fault: 'statement', why: 'savepoints: the session is out of step' },
  '3D': { fault: 'server', why: 'the database does not exist' },
  '3F': { fault: 'statement', why: 'the schema does not exist' },
  '40': {
    fault: 'conflict',
    why: 'serialization failure, deadlock',
    except: { '40002': 'message', '40003': 'statement' },
  },
  '42': { fault: 'statement', why: 'the statements do not fit the schema or its permissions: a deployment gone wrong' },
  '44': { fault: 'message', why: 'the row breaks the condition of a view' },
  '53': { fault: 'server', why: 'disk, memory or connections are used up' },
  '54': { fault: 'message', why: 'the value is too large or too deeply nested for an index or a parser' },
  '55': { fault: 'statement', why: 'a lock that could not be taken in time, an object in use' },
  '57': {
    fault: 'server',
    why: 'the server stops or starts; 57014 is one statement that was cancelled or took too long',
    except: { '57014': 'statement' },
  },
  '58': { fault: 'statement', why: 'the server can not read or write a file' },
  '72': { fault: 'conflict', why: 'snapshot too old: a new one helps' },
  F0: { fault: 'server', why: 'configuration of the server' },
  HV: { fault: 'statement', why: 'another server behind a foreign table' },
  P0: { fault: 'message', why: 'a function or trigger raised it about this row' },
  XX: {
    fault: 'statement',
    why: 'internal error, damaged data or index: the message can not mend it, an operator can',
  },
};

/**
 * Routines of the server that raise a code for another reason than its class says. `PreCommit_Notify` (src/backend/commands/async.c) fails
 * every transaction when a listener does not read its notifications and their queue is full.
 */
const routines: Readonly<Record<string, SqlFault>> = { PreCommit_Notify: 'server' };

/**
 * Undefined for a code that is no SQLSTATE, or whose class is not in the manual. A message that fails with it is tried alone and then
 * parked.
 * @param routine the server's routine that raised the error, if known
 */
export function sqlFault(code: string, routine?: unknown): SqlFault | undefined {
  if (code.length !== 5) return undefined;
  const rule = sqlStateClasses[code.slice(0, 2)];
  if (rule === undefined || !/^[0-9A-Z]{5}$/.test(code)) return undefined;
  return (typeof routine === 'string' ? routines[routine] : undefined) ?? rule.except?.[code] ?? rule.fault;
}

/** Whether the server refused a statement for its own reasons or the session's. The session is not used again then. */
export function isServerRefusal(error: unknown): boolean {
  const { code, routine } = (error instanceof Error ? error : {}) as { code?: unknown; routine?: unknown };
  const fault = typeof code === 'string' ? sqlFault(code, routine) : undefined;
  return fault === 'server' || fault === 'statement';
}
