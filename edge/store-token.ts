import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../contracts/config.ts';
import { claimsOf } from './forwarder/token-expiry.ts';

/** The token by which the region knows the store. Its file may be replaced while the agent runs. */
export class StoreToken {
  readonly #file: string;
  /** The store that the token speaks for; `undefined` for a token that says nothing of the kind. */
  store: string | undefined;

  /** @throws ConfigError when the file cannot be read or is empty. */
  constructor(file: string) {
    this.#file = file;
    let text: string;
    try {
      text = readFileSync(file, 'utf8').trim();
    } catch (error) {
      throw new ConfigError(
        `ORDERMESH_EDGE_TOKEN_FILE is ${JSON.stringify(file)}, which cannot be read: ${(error as Error).message}`,
      );
    }
    if (text === '' || /\s/.test(text))
      throw new ConfigError(
        `ORDERMESH_EDGE_TOKEN_FILE is ${JSON.stringify(file)}; it takes a file with one token and nothing else`,
      );
    this.store = storeOf(text);
  }

  /** The token as it is in the file now. */
  async read(): Promise<string> {
    const token = (await readFile(this.#file, 'utf8')).trim();
    this.store = storeOf(token) ?? this.store;
    return token;
  }
}

/** The `store` claim. It only keeps orders away that the region would refuse. */
function storeOf(token: string): string | undefined {
  const store = claimsOf(token)?.store;
  return typeof store === 'string' ? store : undefined;
}
