// `npm start -- ARGS`: one node with its data in ./data, from a fresh clone or a built one.
import './node-version.mjs'
import { become } from './run.mjs'

await become('caskade', ['server', ...process.argv.slice(2)])
