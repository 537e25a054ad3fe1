// Secrets of the configuration: given as text, or in a file that is read again whenever the secret is needed.

import { readFileSync } from 'node:fs';
import type { Kind } from './kinds.ts';

/** A secret, as plain data: it crosses thread boundaries. The text of a file stays in the file, so that a changed secret counts without a restart. */
export type Secret = { readonly text: string } | { readonly file: string };

/** Ends the name of the variable that has the path of a secret's file. */
export const fileSuffix = '_FILE';

/**
 * The secret as it is now. Call it for each new connection or request, and do not keep the text.
 * @throws when the file cannot be read
 */
export function secretText(secret: Secret): string {
  if ('text' in secret) return secret.text;
  // Editors and `echo` end a file with a line break, which is no part of a password.
  return readFileSync(secret.file, 'utf8').replace(/\r?\n$/, '');
}

/** The variable that gives a secret to a child process, in the form in which this process has it. */
export function secretVariable(name: string, secret: Secret): Record<string, string> {
  return 'text' in secret ? { [name]: secret.text } : { [name + fileSuffix]: secret.file };
}

/** @throws TypeError that says what is wrong with the secret, without the secret itself */
export function parseSecret(kind: Kind<string>, secret: Secret): Secret {
  let text: string;
  try {
    text = secretText(secret);
  } catch (error) {
    throw new TypeError(`a file that can be read (${(error as Error).message})`);
  }
  const takes = 'file' in secret ? `a file with ${kind.takes}` : kind.takes;
  if (text === '') throw new TypeError(takes);
  try {
    kind.parse(text);
  } catch {
    // The caller is told what the variable takes. The message of a kind may quote the text, which is secret here.
    throw new TypeError(takes);
  }
  return secret;
}
