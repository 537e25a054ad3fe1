import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../contracts/config.ts';
import { claimsOf } from './forwarder/token-expiry.ts';

/** The token by which the region knows the store. Its file may be replaced while the agent runs. */
export class StoreToken {
  readonly #file: string;
  /** The store that the token speaks for; `undefined` for a token that says nothing of the kind. */
  store: string | undefined;

  /** @throws ConfigError when the file cannot be read or holds no token. */
  constructor(file: string) {
    this.#file = file;
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new ConfigError(
        `ORDERMESH_EDGE_TOKEN_FILE is ${JSON.stringify(file)}, which cannot be read: ${(error as Error).message}`,
      );
    }
    this.store = storeOf(this.#tokenIn(text));
  }

  /**
   * The token as it is in the file now.
   * @throws ConfigError when the file holds no token; the error of the file system when it cannot be read.
   */
  async read(): Promise<string> {
    const token = this.#tokenIn(await readFile(this.#file, 'utf8'));
    this.store = storeOf(token) ?? this.store;
    return token;
  }

  #tokenIn(text: string): string {
    const token = text.trim();
    if (!ONE_TOKEN.test(token))
      throw new ConfigError(
        `ORDERMESH_EDGE_TOKEN_FILE is ${JSON.stringify(this.#file)}; it takes a file with one token and nothing else`,
      );
    return token;
  }
}

/** What may stand in a header. */
const ONE_TOKEN = /^[\x21-\x7e]+$/;

/** The `store` claim. It only keeps orders away that the region would refuse. */
function storeOf(token: string): string | undefined {
  const store = claimsOf(token)?.store;
  return typeof store === 'string' ? store : undefined;
}
