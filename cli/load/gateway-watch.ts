// Watches whether the gateway takes the orders that a command sends. Used by `load`, `smoke` and `orders send`.

import { assertGrpcAnswers, type SendReport, type Via } from '../../lab/traffic/index.ts';
import { inSeconds, States, timeOfDay } from '../../telemetry/state-log.ts';
import { say } from '../output.ts';

const ANSWER_MS_MAX = 5_000;
/** A single connection that breaks is not reported; a gateway that has not answered for this long is. */
const SILENT_AFTER_MS = 2_000;

/** Refusals for which the order itself is the reason. Any other refusal kept a good order out. */
const refusalsOfOrders = new Set(['400', '409', '413', '422']);

/** @throws when nothing answers there, before the first order is sent */
export async function assertGatewayAnswers(gateway: URL, via: Via = 'http'): Promise<void> {
  try {
    if (via === 'grpc') return await assertGrpcAnswers(gateway, ANSWER_MS_MAX);
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    await fetch(new URL('/openapi.json', gateway), { method: 'HEAD', signal });
  } catch (error) {
    const { cause, message } = error as Error;
    const reason = (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
    throw new Error(
      `no gateway answers at ${gateway.origin} (${reason}); start one with \`make run\`, or say with --gateway where it is`,
    );
  }
}

/** Says once that the gateway does not answer any more, and once that it does again. */
export class GatewayWatch {
  readonly #states = new States();
  readonly #say: (line: string) => void;
  #answeredAt = Date.now();

  constructor(remark: (line: string) => void = say) {
    this.#say = remark;
  }

  /** Takes the outcome of each attempt: an HTTP status, or 0 with the reason for no answer. */
  attempted(status: number, reason: string): void {
    const now = Date.now();
    if (status !== 0) {
      this.#answeredAt = now;
      const silentMs = this.#states.end('silent');
      if (silentMs !== undefined) this.#say(`the gateway answers again after ${inSeconds(silentMs)}`);
    } else if (now - this.#answeredAt > SILENT_AFTER_MS && this.#states.begin('silent', this.#answeredAt))
      this.#say(`the gateway has not answered since ${timeOfDay(this.#answeredAt)} (${reason}); trying on`);
  }
}

/** Whether good orders were kept out, so that the load was not the intended one. */
export function keptOut({ accepted, unanswered, refused }: SendReport): boolean {
  return accepted === 0 || unanswered > 0 || Object.keys(refused).some((status) => !refusalsOfOrders.has(status));
}
