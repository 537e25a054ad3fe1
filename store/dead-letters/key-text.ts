/**
 * A key as PostgreSQL's text type can store it. The type takes no NUL, so NUL and `%` are percent-encoded, and every key can be read back
 * unchanged. An orderId stays as it is.
 */
export function keyToText(key: string): string {
  return key.includes('\0') || key.includes('%') ? key.replaceAll('%', '%25').replaceAll('\0', '%00') : key;
}

export function keyOfText(text: string): string {
  return text.includes('%') ? text.replaceAll('%00', '\0').replaceAll('%25', '%') : text;
}
