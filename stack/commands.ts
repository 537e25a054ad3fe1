import { type ExecFileOptions, execFile } from 'node:child_process';

const OUTPUT_BYTES_MAX = 16 * 2 ** 20;
const SHOWN_LINES = 15;

/**
 * Runs a command to its end, quietly.
 * @throws an error that says what was being done, how to mend it when the command is not there, and else the end of its output.
 */
export function run(
  command: string,
  args: string[],
  options: ExecFileOptions & { doing: string; missing: string },
): Promise<string> {
  const { doing, missing, ...rest } = options;
  return new Promise((resolve, reject) => {
    execFile(command, args, { ...rest, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const reason = error.code === 'ENOENT' ? missing : lastLines(`${stdout}\n${stderr}`);
      reject(new Error(`${doing} failed: ${reason}`, { cause: error }));
    });
  });
}

export function lastLines(text: string): string {
  return text.trim().split('\n').slice(-SHOWN_LINES).join('\n');
}
