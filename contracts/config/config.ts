// The configuration: reads and checks the environment variables of Ordermesh. Roles and commands load it.

import { securityFaults } from './kafka-security.ts';
import type { Kind } from './kinds.ts';
import { fileSuffix, parseSecret, type Secret } from './secret.ts';
import { withoutServiceVariables } from './service-variables.ts';
import { type SecretVariable, type Variable, variables } from './variables.ts';

type Table = typeof variables;
type ValueOf<V> = V extends SecretVariable
  ? Secret | undefined
  : V extends { kind: Kind<infer T> }
    ? V extends { default: string }
      ? T
      : T | undefined
    : never;

/** The validated configuration, by variable name. Frozen; durations in milliseconds, sizes in bytes. */
export type Config = Readonly<{ [Name in keyof Table]: ValueOf<Table[Name]> }>;

/** A configuration that knows where Kafka and PostgreSQL are. */
export type ConnectedConfig = Config & { KAFKA_BROKERS: string[]; DATABASE_URL: Secret };

/** A configuration error. Its message names each wrong variable, its text and what it takes. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * Reads and validates the environment once.
 * @throws ConfigError that lists every wrong or unknown variable of ours, not only the first
 */
export function loadConfig(environment: Record<string, string | undefined> = process.env): Config {
  const env = withoutServiceVariables(environment);
  const faults = unknownVariables(env);
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries<Variable<unknown> | SecretVariable>(variables)) {
    if ('isSecret' in variable) {
      const { value, fault } = readSecret(name, variable, env);
      values[name] = value;
      if (fault !== undefined) faults.push(fault);
      continue;
    }
    const raw = env[name] || variable.default;
    try {
      values[name] = raw === undefined ? undefined : variable.kind.parse(raw);
    } catch (error) {
      faults.push(`${name} is ${JSON.stringify(raw)}; it takes ${(error as Error).message}`);
    }
  }
  if (faults.length === 0) faults.push(...contradictions(values as Config, env));
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return Object.freeze(values) as Config;
}

/** A fault names the variable and never the secret. */
function readSecret(
  name: string,
  { kind }: SecretVariable,
  env: Record<string, string | undefined>,
): { value?: Secret; fault?: string } {
  const [text, file] = [env[name], env[name + fileSuffix]];
  if (text && file) return { fault: `${name} and ${name + fileSuffix} are both set; one of them is enough` };
  if (!(text || file)) return {};
  try {
    return { value: parseSecret(kind, file ? { file } : { text: text as string }) };
  } catch (error) {
    const got = file ? `${name + fileSuffix} is ${JSON.stringify(file)}` : `${name} has another text`;
    return { fault: `${got}; it takes ${(error as Error).message}` };
  }
}

/** Values that are valid alone, but not together. */
function contradictions(config: Config, env: Record<string, string | undefined>): string[] {
  const given = (name: 'ORDERMESH_DISPLAY_DUE_AFTER' | 'ORDERMESH_DISPLAY_LATE_AFTER') =>
    JSON.stringify(env[name] || variables[name].default);
  const due =
    config.ORDERMESH_DISPLAY_DUE_AFTER > config.ORDERMESH_DISPLAY_LATE_AFTER
      ? [
          `ORDERMESH_DISPLAY_DUE_AFTER is ${given('ORDERMESH_DISPLAY_DUE_AFTER')}; it takes a duration up to that of ORDERMESH_DISPLAY_LATE_AFTER, which is ${given('ORDERMESH_DISPLAY_LATE_AFTER')}`,
        ]
      : [];
  return [...due, ...securityFaults(config)];
}

function unknownVariables(env: Record<string, string | undefined>): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('ORDERMESH_') && !isKnown(name))
    .map((name) => `${name} is not a variable of Ordermesh; docs/configuration.md lists them`);
}

function isKnown(name: string): boolean {
  if (name in variables) return true;
  const base = name.endsWith(fileSuffix) ? name.slice(0, -fileSuffix.length) : undefined;
  const variable = (variables as Record<string, object>)[base ?? ''];
  return variable !== undefined && 'isSecret' in variable;
}

/** `docs/configuration.md`, made from the table; a test holds the file and the table together. */
export function configurationDocs(): string {
  const rows = Object.entries<Variable<unknown> | SecretVariable>(variables).flatMap(([name, variable]) => {
    const { kind, doc } = variable;
    const row = (variableName: string, takes: string, fallback: string, text: string) =>
      `| \`${variableName}\` | ${takes} | ${fallback} | ${text} |`;
    if ('isSecret' in variable)
      return [
        row(name, kind.takes, 'none', doc),
        row(name + fileSuffix, 'a file path', 'none', `The same from a file, which is read again when it is needed.`),
      ];
    const fallback = variable.default === undefined ? 'none' : `\`${variable.default}\``;
    return [row(name, kind.takes, name === 'ORDERMESH_SLOTS' ? 'number of cores' : fallback, doc)];
  });
  return [
    '# Configuration',
    '',
    'Environment variables, validated when a role starts. Generated from `contracts/config/variables.ts` by `npm run docs`.',
    '',
    'What Kubernetes makes of a Service (`ORDERMESH_GATEWAY_SERVICE_HOST`, `ORDERMESH_GATEWAY_PORT=tcp://10.0.0.1:8080`) is passed over.',
    '',
    '| variable | takes | default | what it is |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
