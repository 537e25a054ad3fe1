import { orderIdSchema } from '../../contracts/order.ts';
import { compileValidator } from '../../contracts/validation.ts';
import { UsageError } from '../failure.ts';
import { readInputFile } from '../input-file.ts';

const isOrderId = compileValidator(orderIdSchema);

/**
 * Ids that were answered 202, one a line. Blanks around an id and CRLF are the editor's.
 * @throws UsageError naming the line that is no orderId: it would be called lost; and for a file without ids, which proves nothing
 */
export async function readAcceptedIds(file: string): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, line] of (await readInputFile(file)).split('\n').entries()) {
    // Also takes away a byte order mark.
    const id = line.trim();
    if (id === '') continue;
    if (!isOrderId(id).ok)
      throw new UsageError(
        `--accepted ${file}, line ${index + 1}: ${JSON.stringify(id.slice(0, 60))} is no orderId; it takes one orderId a line, such as 01936f2e-7c3a-7b1e-9d50-3f6f6f0c8a11`,
      );
    ids.push(id);
  }
  if (ids.length === 0) throw new UsageError(`--accepted ${file} has no orderId: an audit of none proves nothing`);
  return ids;
}
