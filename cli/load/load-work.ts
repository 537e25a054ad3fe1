// The work of `ordermesh load`: constant, staged, or a ramp to the knee. Called by load.ts.

import { findKnee, type Knee, type LoadReport, LoadRun, type Step } from '../../lab/load/index.ts';
import { createTraffic, type SenderOptions } from '../../lab/traffic/index.ts';
import { GatewayWatch } from './gateway-watch.ts';
import { startLiveView } from './live-view.ts';

export type LoadPlan =
  | { steps: readonly Step[] }
  | {
      /** Orders a second. */
      startRate: number;
      stepSeconds: number;
      p99MsMax: number;
    };

export interface LoadWork extends Required<Pick<SenderOptions, 'via' | 'connections' | 'token'>> {
  seed: number;
  realistic: boolean;
  gateway: URL;
  plan: LoadPlan;
}

export interface LoadOutcome {
  report: LoadReport;
  /** Of a ramp. */
  knee?: Knee;
}

const UNANSWERED_MAX = 20_000;
/** So that a ramp ends within three minutes, the answers to its last step included. */
const RAMP_MS_MAX = 160_000;
/** Of a ramp: an order that is not answered by then has failed, and the next step can begin. */
const RAMP_ANSWER_MS_MAX = 5_000;
const RAMP_WARM_UP_SHARE = 0.2;

/** Runs until the plan is done, or until Ctrl-C: then the figures so far are the result. */
export async function runLoad({ seed, realistic, plan, ...target }: LoadWork): Promise<LoadOutcome> {
  const isRamp = !('steps' in plan);
  const view = startLiveView();
  const watch = new GatewayWatch(view.say);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  const traffic = createTraffic({ seed, realistic });
  const run = new LoadRun({
    // At even distances, so that chance does not move the knee.
    traffic: isRamp ? { ...traffic, wait: (rate) => 1_000 / rate } : traffic,
    sender: {
      ...target,
      onAttempt: (status, detail) => watch.attempted(status, detail),
      unansweredMax: UNANSWERED_MAX,
      // Repeats are load too: a ramp counts what the gateway does with the first attempt.
      ...(isRamp ? { repeats: false, answerMsMax: RAMP_ANSWER_MS_MAX } : {}),
    },
    signal: stop.signal,
    onSecond: view.second,
  });
  try {
    if (!isRamp) {
      for (const step of plan.steps) if (!stop.signal.aborted) await run.step(step);
      await run.settle();
      return { report: run.report() };
    }
    // A gateway that has just started is slow at first, and the search would begin below its knee.
    await run.step({ rate: plan.startRate, seconds: plan.stepSeconds / 2 });
    await run.settle();
    const knee = await findKnee({
      ...plan,
      budgetMs: RAMP_MS_MAX,
      // After Ctrl-C the time is up.
      nowMs: () => (stop.signal.aborted ? Number.POSITIVE_INFINITY : performance.now()),
      async measure(rate, seconds) {
        const step = await run.step({ rate, seconds }, seconds * RAMP_WARM_UP_SHARE);
        await run.settle();
        return step.report();
      },
      onRate: (rate, held) => view.say(`${Math.round(rate)} orders a second: ${held ? 'held' : 'not held'}`),
    });
    return { report: run.report(), knee };
  } finally {
    process.removeListener('SIGINT', interrupt);
    view.close();
    run.close();
  }
}
