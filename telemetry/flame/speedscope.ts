// A flame graph in the format of speedscope (https://github.com/jlfwong/speedscope), and back. `ordermesh profile` writes and compares these files.

import { Type } from 'typebox';
import { compileValidator } from '../../contracts/validation.ts';
import { FlameBuilder } from './builder.ts';
import type { Flame, FlameNode, FlameUnit, Frame } from './flame.ts';

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';
/** Files of others have no levels of thread and stage. */
const EXPORTER = 'ordermesh profile';

const fileSchema = Type.Object({
  exporter: Type.Literal(EXPORTER),
  name: Type.String(),
  shared: Type.Object({
    frames: Type.Array(
      Type.Object({ name: Type.String(), file: Type.Optional(Type.String()), line: Type.Optional(Type.Integer()) }),
    ),
  }),
  profiles: Type.Array(
    Type.Object({
      unit: Type.Union([Type.Literal('microseconds'), Type.Literal('bytes')]),
      samples: Type.Array(Type.Array(Type.Integer({ minimum: 0 }))),
      weights: Type.Array(Type.Number({ minimum: 0 })),
    }),
    { minItems: 1 },
  ),
});
const validate = compileValidator(fileSchema);

/** @returns one profile of all threads, without an order in time: speedscope shows it as it is under "Time Order" too */
export function toSpeedscope({ unit, root }: Flame, name: string): string {
  const frames: { name: string; file?: string; line?: number }[] = [];
  const numbers = new Map<string, number>();
  const samples: number[][] = [];
  const weights: number[] = [];
  const numberOf = ({ name: ofFrame, file, line }: Frame): number => {
    const key = `${ofFrame} ${file}:${line}`;
    let number = numbers.get(key);
    if (number === undefined) {
      number = frames.push(file === '' ? { name: ofFrame } : { name: ofFrame, file, line }) - 1;
      numbers.set(key, number);
    }
    return number;
  };
  const visit = ({ self, children }: FlameNode, stack: readonly number[]): void => {
    if (self > 0) {
      samples.push([...stack]);
      weights.push(self);
    }
    for (const child of children) visit(child, [...stack, numberOf(child.frame)]);
  };
  visit(root, []);
  const profile = { type: 'sampled', name, unit, startValue: 0, endValue: root.total, samples, weights };
  return JSON.stringify({ $schema: SCHEMA, exporter: EXPORTER, name, shared: { frames }, profiles: [profile] });
}

/** @returns `undefined` for a value that `toSpeedscope` has not written */
export function fromSpeedscope(file: unknown): { name: string; flame: Flame } | undefined {
  const checked = validate(file);
  if (!checked.ok) return undefined;
  const { name, shared, profiles } = checked.value;
  const [profile] = profiles;
  if (profile === undefined) return undefined;
  const builder = new FlameBuilder();
  for (const [index, sample] of profile.samples.entries()) {
    const stack = sample.map((number) => shared.frames[number]);
    if (stack.includes(undefined)) return undefined;
    builder.add(
      stack.map((frame) => ({ name: frame?.name ?? '', file: frame?.file ?? '', line: frame?.line ?? 0 })),
      profile.weights[index] ?? 0,
    );
  }
  return { name, flame: builder.build(profile.unit as FlameUnit) };
}
