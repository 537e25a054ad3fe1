// Checks whether a server answers over HTTP. Called by the starts of the emulators and of Toxiproxy.

const REQUEST_LIMIT_MS = 2_000;

/** @throws unless a GET is answered with a success. */
export async function answersHttp(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
}
