#!/usr/bin/env node
// An executable file, so that LLAMA_SERVER can name it; the compiled program is not one.
import '../../dist/models/fake/cli.js'
