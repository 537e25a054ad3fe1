// Waits until the roles between the log and the kitchen have nothing left. Used by benches/pipeline.ts and pipeline/sustained.ts.

import { groups, topics } from '../contracts/topics.ts';
import type { Admin } from '../kafka/index.ts';

const POLL_MS = 50;

/** Until validator, payment and kitchen have finished everything. The cloud follows at its own pace. */
export async function workedOff(admin: Admin): Promise<void> {
  // In this order: each of them may have written what the next one reads.
  await untilRead(admin, groups.orderValidator, topics.rawOrders);
  await untilRead(admin, groups.payment, topics.validatedOrders);
  await untilRead(admin, groups.kitchen, topics.validatedOrders);
}

/** Until the group has finished all that is in the topic. */
async function untilRead(admin: Admin, group: string, topic: string): Promise<void> {
  for (;;) {
    const [ends, positions] = [await admin.offsets(topic), await admin.committedOffsets(group, topic)];
    if (ends.every(({ partition, earliest, latest }) => (positions.get(partition) ?? earliest) >= latest)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
