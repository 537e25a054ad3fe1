import path from 'node:path';

export const javaMissing =
  'no Java found; install a JDK 17 or later (Debian: apt-get install openjdk-17-jdk-headless) or set JAVA_HOME to one';

/** A command of the JDK: of JAVA_HOME where that is set, else the one on the PATH. */
export function javaCommand(
  name: 'java' | 'javac' = 'java',
  env: Record<string, string | undefined> = process.env,
): string {
  return env.JAVA_HOME ? path.join(env.JAVA_HOME, 'bin', name) : name;
}
