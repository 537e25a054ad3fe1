/** What the audit calls a fault: the judgement and the readers of evidence make them, the report prints them. */
export type FaultKind = 'lost' | 'duplicateEffects' | 'outOfOrder';

export interface Fault {
  kind: FaultKind;
  /** The order, or the store where stock does not add up. */
  subject: string;
  detail: string;
}
