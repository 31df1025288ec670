#!/usr/bin/env node
import { convertCli } from '../convert/convert-cli.js'

process.exitCode = await convertCli(process.argv.slice(2), process.cwd(), { out: process.stdout, err: process.stderr })
