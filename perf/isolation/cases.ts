// What is done to the cloud in each case. main.ts begins and ends them in turn.

import type { Cloud } from './cloud.ts';

export interface Case {
  name: string;
  /** What a person is told. */
  title: string;
  begin(cloud: Cloud): Promise<void> | void;
  end(cloud: Cloud): Promise<void> | void;
}

const SLOW_MS = 5_000;
/**
 * The push subscription asks Pub/Sub for at least this much time between two attempts. The emulator pushes again as soon as it is answered
 * (bridge/pubsub/topology.ts says why).
 */
const PUSH_BACKOFF_MS = 1_000;

/** As BigQuery answers an account that has lost its rights, to every request. */
const accessDenied = {
  error: {
    code: 403,
    message: 'Access Denied: the account may do nothing here',
    errors: [{ domain: 'global', reason: 'accessDenied', message: 'Access Denied: the account may do nothing here' }],
    status: 'PERMISSION_DENIED',
  },
};

export const cases: readonly Case[] = [
  {
    name: 'pubsub-stopped',
    title: 'Pub/Sub is stopped: it refuses connections',
    begin: ({ pubsub }) => pubsub.refuse(),
    end: ({ pubsub }) => pubsub.pass(),
  },
  {
    name: 'pubsub-slow',
    title: 'Pub/Sub takes 5 s a call',
    begin: ({ pubsub }) => pubsub.slow(SLOW_MS),
    end: ({ pubsub }) => pubsub.pass(),
  },
  {
    name: 'bigquery-refuses',
    title: 'BigQuery refuses every request (403)',
    begin: ({ bigquery }) => bigquery.refuse({ status: 403, body: accessDenied, afterMs: 0 }),
    end: ({ bigquery }) => bigquery.pass(),
  },
  {
    name: 'loyalty-fails',
    title: 'the loyalty function answers 500',
    begin: ({ loyalty }) => loyalty.refuse({ status: 500, body: { error: 'broken' }, afterMs: PUSH_BACKOFF_MS }),
    end: ({ loyalty }) => loyalty.pass(),
  },
];
