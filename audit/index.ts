/** The room's door: what other rooms import. */
export { readAcceptedIds } from './accepted-ids.ts';
export { eventsInWarehouse, readEvidence } from './evidence.ts';
export { type AuditCounts, type Fault, type FaultKind, isClean, judge, type Verdict } from './judgement.ts';
export { countLines, findings } from './report.ts';
export { type AuditedRecord, createTrailBook, noteDeadLetter, noteEvent, notePlaced } from './trail.ts';
