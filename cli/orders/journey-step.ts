// The steps of an order's journey, as types. Used by the files of `orders show`.

/** Where the message of a dead letter came from, and which group parked it. */
export interface Origin {
  group: string;
  topic: string;
  partition: number;
  offset: number;
}

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
  /** The CloudEvents id; absent for what is no event. */
  eventId?: string;
  /** Of a dead letter and of what was done to one. */
  origin?: Origin;
}

/** A step before the steps are ordered by time. */
export type UntimedStep = Omit<JourneyStep, 'sincePreviousMs'>;
