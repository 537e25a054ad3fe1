/** One record of an order, as a step of its journey. */
export interface JourneyStep {
  /** CloudEvents type, `parked` for a dead letter, or what an operator or a replay did to one. */
  step: string;
  topic: string;
  partition: number;
  offset: number;
  /** RFC 3339, the record's timestamp. */
  at: string;
  /** Milliseconds since the step before; 0 for the first. */
  sincePreviousMs: number;
  detail: string;
}

/** Steps of a journey before they are put one behind the other. */
export type UntimedStep = Omit<JourneyStep, 'sincePreviousMs'>;
