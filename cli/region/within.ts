/** How long a cluster or a database may take to answer one question. One that is stopped keeps its connections and never answers. */
export const QUESTION_MS_MAX = 10_000;
/** The same for a batch of some hundred rows that is written: a lock of a worker that ends just now may stand before it. */
export const BATCH_MS_MAX = 60_000;

/**
 * Gives a question up that takes too long, and names who was asked.
 * @throws what the answer throws; Error when there is none within that time. The question itself goes on: only the end of the process ends it
 */
export async function within<T>(msMax: number, who: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${who} does not answer within ${msMax / 1_000} s`)), msMax);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
