/** The room's door: what other rooms import. How evidence becomes a verdict is in README.md. */
export { readAcceptedIds } from './accepted-ids.ts';
export type { Fault, FaultKind } from './fault.ts';
export { judge } from './judgement.ts';
export { eventsInWarehouse, readEvidence } from './read-evidence.ts';
export { countLines, findings } from './report.ts';
export { type AuditedRecord, createTrailBook, noteDeadLetter, noteEvent, notePlaced } from './trail.ts';
export { type AuditCounts, isClean, type Verdict } from './verdict.ts';
