// Lists what the scanner leaves to the general way, or reads slowly. Used by the tests of the order scanner.

import type { Plan } from '../../../gateway/orders/scanner/generation/plan.ts';
import { ORDER_ID } from '../../../gateway/orders/scanner/generation/text-plan.ts';

/** Pointers and reasons. A pattern that needs a regular expression is listed too: the scanner makes a string for each such text. */
export function unreadParts(plan: Plan, pointer = ''): string[] {
  if (plan.unread !== undefined) return [`${pointer}: ${plan.unread}`];
  switch (plan.kind) {
    case 'text':
      return plan.pattern === undefined || plan.pattern === ORDER_ID ? [] : [`${pointer}: ${plan.pattern}`];
    case 'list':
      return unreadParts(plan.element, `${pointer}/0`);
    case 'map':
      return [...unreadParts(plan.name, `${pointer}/name`), ...unreadParts(plan.value, `${pointer}/value`)];
    case 'object':
      return plan.members.flatMap(({ name, plan: part }) => unreadParts(part, `${pointer}/${name}`));
    default:
      return [];
  }
}
