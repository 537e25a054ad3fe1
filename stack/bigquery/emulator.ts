import { fileURLToPath } from 'node:url';
import { answersHttp } from '../http-check.ts';
import { type Part, portOf } from '../part.ts';
import { bigqueryEnvironment } from './environment.ts';

const program = fileURLToPath(new URL('start.py', import.meta.url));

/** bqemulator: BigQuery's interface on DuckDB. Its tables are kept in the data directory. */
export const bigquery: Part = {
  name: 'bigquery',
  title: 'BigQuery emulator',
  variable: 'BIGQUERY_EMULATOR_HOST',
  portNames: ['bigquery', 'bigquery-grpc'],
  async start({ config, directory, cacheDir, ports, servers, background = true, signal }) {
    const { python, env } = await bigqueryEnvironment(cacheDir, signal);
    signal?.throwIfAborted();
    const project = config.GOOGLE_CLOUD_PROJECT;
    const address = `127.0.0.1:${portOf(ports, 'bigquery')}`;
    const listen = ['--rest-port', `${portOf(ports, 'bigquery')}`, '--grpc-port', `${portOf(ports, 'bigquery-grpc')}`];
    const data = ['--project', project, '--persistent', '--data-dir', directory, '--log-level', 'warning'];
    const answers = () => answersHttp(`http://${address}/bigquery/v2/projects/${project}/datasets`);
    const server = await servers.start(
      {
        name: 'bigquery',
        command: python,
        args: [program, 'start', ...listen, ...data],
        signal: 'SIGTERM',
        background,
        spawnOptions: { cwd: directory, env },
      },
      answers,
      answers,
    );
    return { server, environment: { BIGQUERY_EMULATOR_HOST: address } };
  },
};
