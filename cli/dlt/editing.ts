import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { applyPatch, type Operation } from 'rfc6902';
import { UsageError } from '../../contracts/failure.ts';
import { readInputFile } from '../../contracts/input-file.ts';
import { orderSchema } from '../../contracts/order/order.ts';
import { topics } from '../../contracts/topics.ts';
import { compileValidator } from '../../contracts/validation.ts';
import type { DeadLetter } from '../../store/index.ts';

/**
 * The message's content with the edit: a JSON patch (RFC 6902), as text or in a file, or by hand in `$VISUAL` or `$EDITOR`.
 * @param edit the option's value; true when it was given without one
 * @throws UsageError for a patch or a result that cannot be used, with the reason
 */
export async function editedValue(letter: DeadLetter, edit: string | true): Promise<Buffer> {
  const before = (letter.editedValue ?? letter.value)?.toString() ?? '';
  const after = edit === true ? await inEditor(before) : JSON.stringify(patched(before, await readPatch(edit)));
  const document = parsed(after, 'the edited content');
  check(letter, document);
  return Buffer.from(JSON.stringify(document));
}

async function readPatch(edit: string): Promise<Operation[]> {
  const text = edit.trimStart().startsWith('[')
    ? edit
    : await readInputFile(edit).catch((error: Error) => {
        throw new UsageError(
          `--edit takes a JSON patch such as '[{"op":"replace","path":"/total","value":1198}]' or a file with one; ${error.message}`,
        );
      });
  const patch = parsed(text, 'the patch');
  if (!Array.isArray(patch)) throw new UsageError('the patch is no array of operations (RFC 6902)');
  return patch as Operation[];
}

function patched(before: string, patch: readonly Operation[]): unknown {
  // In an envelope, so that an operation may replace the whole document.
  const envelope = {
    document: parsed(before, 'the content of the message, which a patch needs as JSON; use --edit without a patch,'),
  };
  const operations = patch.map((operation) => {
    const moved: Record<string, unknown> = { ...operation, path: `/document${operation.path}` };
    if ('from' in operation) moved.from = `/document${operation.from}`;
    return moved as unknown as Operation;
  });
  for (const [index, failure] of applyPatch(envelope, operations).entries()) {
    if (failure === null) continue;
    const { op, path: pointer } = patch[index] ?? {};
    throw new UsageError(`operation ${index} of the patch (${op} ${pointer}) fails: ${failure.name}`);
  }
  return envelope.document;
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${what} is no JSON: ${(error as Error).message}`);
  }
}

/** An edit mends a message; it doesn't make another order's message of it. */
function check({ topic, key }: DeadLetter, document: unknown): void {
  const orderId = (document as { orderId?: unknown } | null)?.orderId;
  if (orderId !== key)
    throw new UsageError(`orderId is ${JSON.stringify(orderId)} after the edit; it must stay ${key}`);
  if (topic !== topics.rawOrders) return;
  const validated = compileValidator(orderSchema)(document);
  if (validated.ok) return;
  const reasons = validated.errors.map(({ pointer, detail }) => `${pointer === '' ? 'the order' : pointer} ${detail}`);
  throw new UsageError(`the edited content is no order: ${reasons.join('; ')}`);
}

async function inEditor(before: string): Promise<string> {
  const editor = process.env.VISUAL || process.env.EDITOR;
  if (editor === undefined || editor === '')
    throw new UsageError('no editor: set EDITOR, or give --edit a JSON patch (RFC 6902) or a file with one');
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-edit-'));
  const file = path.join(directory, 'message.json');
  try {
    await writeFile(file, pretty(before), { mode: 0o600 });
    // An editor's command may have arguments of its own, as git takes it too.
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'editor', file], { stdio: 'inherit' });
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
    if (code !== 0) throw new UsageError(`the editor ended with ${code}: nothing was done`);
    const after = await readInputFile(file);
    if (after === pretty(before)) throw new UsageError('the content was not changed: nothing was done');
    return after;
  } finally {
    await rm(directory, { recursive: true });
  }
}

function pretty(text: string): string {
  try {
    return `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
  } catch {
    // No JSON: shown as it is.
    return text;
  }
}
