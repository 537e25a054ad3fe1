import { UsageError } from '../contracts/failure.ts';
import { readInputFile } from '../contracts/input-file.ts';
import { isOrderId } from '../contracts/order/order.ts';

/**
 * Ids that were answered 202, one a line. White space around an id, CRLF and empty lines are ignored.
 * @throws UsageError for a line that is not an orderId, which the audit would otherwise report as lost, and for a file without ids
 */
export async function readAcceptedIds(file: string): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, line] of (await readInputFile(file)).split('\n').entries()) {
    // Also removes a byte order mark.
    const id = line.trim();
    if (id === '') continue;
    if (!isOrderId(id))
      throw new UsageError(
        `--accepted ${file}, line ${index + 1}: ${JSON.stringify(id.slice(0, 60))} is no orderId; it takes one orderId a line, such as 01936f2e-7c3a-7b1e-9d50-3f6f6f0c8a11`,
      );
    ids.push(id);
  }
  if (ids.length === 0) throw new UsageError(`--accepted ${file} has no orderId: an audit of none proves nothing`);
  return ids;
}
