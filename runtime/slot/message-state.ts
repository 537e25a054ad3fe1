/*
 * The life of a message in a slot. The arrows carry the methods of `SlotEngine` that make the step.
 *
 *        add            #begin           #prepared             #runTurn          #turnDone           #complete
 *   queued ───▶ ready ──────────▶ begun ───────────▶ applicable ────────▶ inTurn ──────────▶ producing ──────────▶ finished
 *                ▲                  │                    ▲                  │  │                 │                    ▲
 *                │                  │                    └──────────────────┘  │                 │                    │
 *                │                  │                 outage of the whole turn │                 │                    │
 *                │                  │ failure, outage                          │ failure,        │ failure            │
 *                │                  │                                          │ outage          │                    │
 *                │   back-off       ▼                                          │                 │                    │
 *                └─────────────  retried  ◀────────────────────────────────────┴─────────────────┘                    │
 *                                   │ no retry is left (#fail)                                                        │
 *                                   ▼                                                                                 │
 *                                 parked ─────────────────────────────────────────────────────────────────────────────┘
 *                                                the dead letter is in its topic and in PostgreSQL (key-parking.ts)
 *
 * A message is `queued` while an earlier message of its key is anywhere between ready and finished. The mailbox keeps queued messages in
 * one chain per key, so they need no state of their own.
 *
 * `#fail` decides at the failure itself whether the message is retried or parked. An outage never parks a message.
 *
 * Shorter ways:
 * - `prepareAtOnce` knows the answer: ready → applicable. Otherwise, while `prepare` has no room, the message counts as ready and waits in
 *   preparation.ts, and later messages overtake it.
 * - `decode` returned `skip`, or the actor has no `apply`: begun → finished. Without `prepare`: begun → applicable at once.
 * - The turn left no outputs: inTurn → finished.
 * - The key is parked: ready → parked, and no step of the actor runs.
 * - The message was replayed or discarded before and is delivered again: ready → finished.
 * - The actor has neither `prepare` nor `apply`: the message finishes while its batch is taken in, without becoming ready, unless its
 *   key has an earlier message or a parking (`#decodeAtOnce`).
 * - The broker is down: the message stays in producing and appends its outputs again. Its turn is committed, so it doesn't go back.
 *
 * A partition that is closed (revoked, lost, fenced) drops its messages in whatever state they are. Their offsets were not committed, so
 * the next owner gets them again.
 *
 * A replay (dead-letters/key-replays.ts) starts again at queued, with a place among the live messages of the key. At the end of its life
 * a replayed message is not finished in the frontier but settled in PostgreSQL.
 */

/** Where a message of a slot is. `SlotEngine.counts` counts the states that take time, for `GET /debug/runtime`. */
export type MessageState =
  /** The first of its key; waits to be begun. */
  | 'ready'
  /** Decoded; its `prepare` is in flight. */
  | 'begun'
  /** Prepared; waits for a turn. */
  | 'applicable'
  /** In the transaction of a turn. */
  | 'inTurn'
  /** Its effects are committed; its outputs are on the way to Kafka, or wait for the broker. */
  | 'producing'
  /** Failed, or met an outage alone; waits for the end of its back-off. */
  | 'retried'
  /** Out of retries, or behind a message that was; it is on its way to the dead-letter topic or in it. */
  | 'parked'
  /** Needs no more work: the frontier may pass it. */
  | 'finished';

/** How many messages of a live slot are in each state that takes time. */
export type StateCounts = Record<Exclude<MessageState, 'parked' | 'finished'>, number>;
