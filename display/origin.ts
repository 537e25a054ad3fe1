const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a WebSocket may be opened. A browser sends any site's pages here with the user's network position, so the page must come from
 * the very host that it talks to. Programs that aren't browsers send no Origin and are let in.
 */
export function isSameOrigin(origin: string, host: string): boolean {
  if (origin === '') return true;
  if (!URL.canParse(origin)) return false;
  const { host: originHost, protocol } = new URL(origin);
  return (protocol === 'http:' || protocol === 'https:') && originHost === host.toLowerCase();
}

/**
 * Whether the Host header can belong to us. While listening on loopback only, a foreign name means that a site's DNS name was pointed here
 * (DNS rebinding), which would make its pages "same origin".
 */
export function isKnownHost(host: string, listensOn: string): boolean {
  if (!loopbackNames.has(listensOn) && listensOn !== '::1') return true;
  return URL.canParse(`http://${host}`) && loopbackNames.has(new URL(`http://${host}`).hostname);
}
