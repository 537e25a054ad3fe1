// Fits the universal scalability law to a throughput by slots or processes. Used by the sweeps.

/**
 * Gunther's universal scalability law: N workers carry
 *
 *     X(N) = λ N / (1 + σ (N - 1) + κ N (N - 1))
 *
 * where λ is the throughput of one worker, σ the share of work that only one can do at a time (contention), and κ what each pair of workers
 * costs to agree (coherence). With κ = 0 it is Amdahl's law. (Gunther, "Guerrilla Capacity Planning", chapter 4.)
 */
export interface ScalabilityLaw {
  lambda: number;
  sigma: number;
  kappa: number;
  /** The number of workers beyond which more workers carry less; `null` where κ is 0 and the throughput only flattens. */
  peak: number | null;
}

/** Throughput of `workers`, as measured. */
export interface Scaling {
  workers: number;
  perSecond: number;
}

/** Below, κ is what is left of rounding. */
const KAPPA_MIN = 1e-9;

export function throughputOf({ lambda, sigma, kappa }: Omit<ScalabilityLaw, 'peak'>, workers: number): number {
  return (lambda * workers) / (1 + sigma * (workers - 1) + kappa * workers * (workers - 1));
}

/**
 * Least squares, with neither σ nor κ below 0. The law is linear in the time that a worker takes for a message,
 *
 *     N / X = a + b (N - 1) + c N (N - 1)     with a = 1/λ, b = σ/λ, c = κ/λ
 *
 * so the best a, b and c solve linear equations. Each measurement counts by its relative error. Of the solutions with b, c, both or neither
 * held at 0, the best one without a negative number is the constrained optimum.
 * @throws RangeError for fewer than three different numbers of workers
 */
export function fitScalability(measured: readonly Scaling[]): ScalabilityLaw {
  if (new Set(measured.map(({ workers }) => workers)).size < 3)
    throw new RangeError('the law has three parameters: it takes three numbers of workers');
  const rows = measured.map(({ workers: n, perSecond }) => {
    const weight = perSecond / n;
    return [weight, weight * (n - 1), weight * n * (n - 1)];
  });
  const fits = [[0, 1, 2], [0, 1], [0, 2], [0]].flatMap((columns) => {
    const solved = leastSquares(rows.map((row) => columns.map((column) => row[column] as number)));
    const terms = [0, 1, 2].map((column) => solved[columns.indexOf(column)] ?? 0);
    const error = rows.reduce((sum, row) => sum + (1 - dot(row, terms)) ** 2, 0);
    return terms.every((term) => term >= 0) ? [{ terms, error }] : [];
  });
  const { terms } = fits.reduce((best, each) => (each.error < best.error ? each : best));
  const [a, b, c] = terms as [number, number, number];
  const [sigma, kappa] = [b / a, c / a];
  return { lambda: 1 / a, sigma, kappa, peak: kappa < KAPPA_MIN ? null : Math.sqrt(Math.max(0, 1 - sigma) / kappa) };
}

/** The numbers whose products with each row are as near to 1 as can be. */
function leastSquares(rows: readonly (readonly number[])[]): number[] {
  const columns = (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] as number));
  return solve(columns.map((one) => [...columns.map((other) => dot(one, other)), one.reduce((sum, x) => sum + x, 0)]));
}

/** Gauss's elimination. @param equations each with its right side behind the factors; of a positive definite matrix, which needs no pivots */
function solve(equations: number[][]): number[] {
  const size = equations.length;
  for (let pivot = 0; pivot < size; pivot++)
    for (let row = 0; row < size; row++) {
      if (row === pivot) continue;
      const [from, to] = [equations[pivot] as number[], equations[row] as number[]];
      const factor = (to[pivot] as number) / (from[pivot] as number);
      equations[row] = to.map((value, column) => value - factor * (from[column] as number));
    }
  return equations.map((equation, row) => (equation[size] as number) / (equation[row] as number));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
}
