// The metrics of the kitchen display. Created by server.ts.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type CommandResult = 'done' | 'refused' | 'failed';

/** Whether the display's screens are up to date, read at each scrape. */
export interface DisplaySight {
  /** Whether notifications of changed tickets arrive. */
  isListening(): boolean;
  /** Screens whose tickets cannot be read although the database answers. */
  unreadScreens(): number;
  /** Whether paired screens can be looked up. */
  findsScreens(): boolean;
  /** For how long orders have stood before the kitchen, in milliseconds; 0 while they get through. */
  standstillMs(): number;
}

export function createDisplayMetrics(registry: Registry, sight: DisplaySight) {
  const registers = [registry];
  new Gauge({
    name: 'ordermesh_display_listening',
    help: '1 while changed tickets are heard of, proven every few seconds; 0: screens are not up to date.',
    registers,
    collect() {
      this.set(sight.isListening() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'ordermesh_display_screens_unread',
    help: 'Screens whose tickets cannot be read although the database answers; each says that it is not up to date.',
    registers,
    collect() {
      this.set(sight.unreadScreens());
    },
  });
  new Gauge({
    name: 'ordermesh_display_pairing_answers',
    help: '1 while paired screens can be looked up; 0: those that have tickets go on, the others wait.',
    registers,
    collect() {
      this.set(sight.findsScreens() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'ordermesh_display_pipeline_standstill_seconds',
    help: 'How long the oldest order has waited at a partition before the kitchen; 0 while orders get through.',
    registers,
    collect() {
      this.set(sight.standstillMs() / 1_000);
    },
  });
  return {
    screens: new Gauge({
      name: 'ordermesh_display_screens',
      help: 'Connected pages; the page of the whole chain or of one store.',
      labelNames: ['page'],
      registers,
    }),
    updates: new Counter({
      name: 'ordermesh_display_updates_total',
      help: 'Frames with changed tickets sent to screens.',
      registers,
    }),
    tickets: new Counter({
      name: 'ordermesh_display_tickets_total',
      help: 'Changed tickets read and published.',
      registers,
    }),
    dropped: new Counter({
      name: 'ordermesh_display_screens_dropped_total',
      help: 'Screens closed because they did not keep up; they reconnect.',
      registers,
    }),
    refused: new Counter({
      name: 'ordermesh_display_screens_refused_total',
      help: 'Times that a page was refused its socket, for its Host or Origin; the log has the reason.',
      registers,
    }),
    lost: new Counter({
      name: 'ordermesh_display_feed_lost_total',
      help: 'Times that changes may have been missed, so that every screen got a new snapshot.',
      registers,
    }),
    commands: new Counter({
      name: 'ordermesh_display_commands_total',
      help: 'Commands of the crew by type and result.',
      labelNames: ['type', 'result'],
      registers,
    }),
    snapshotBytes: new Histogram({
      name: 'ordermesh_display_snapshot_bytes',
      help: 'Size of snapshots.',
      buckets: [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576],
      registers,
    }),
    notifyToSend: new Histogram({
      name: 'ordermesh_display_notify_to_send_seconds',
      help: 'From the notification of a change to its frame in the socket, of the oldest change in each delivery.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
  };
}

export type DisplayMetrics = ReturnType<typeof createDisplayMetrics>;
