/**
 * A key as PostgreSQL's text type can hold it, which takes no NUL: percent-encoded where it must be, so that every key comes back as it
 * was. An orderId stays as it is.
 */
export function keyToText(key: string): string {
  return key.includes('\0') || key.includes('%') ? key.replaceAll('%', '%25').replaceAll('\0', '%00') : key;
}

export function keyOfText(text: string): string {
  return text.includes('%') ? text.replaceAll('%00', '\0').replaceAll('%25', '%') : text;
}
