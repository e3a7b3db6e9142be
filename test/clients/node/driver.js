'use strict'

// A node of one generation as a process: `node driver.js v0|v1`. Commands come
// as JSON lines on standard input; answers and events go to standard output.
// An exception that nobody caught is reported and ends the process, as it would
// end an application, unless start said {"guard":true}, or it is that of a signal
// which came late (clients/remote.go).

var generation = process.argv[2]
var create = generation === 'v0' ? require('./v0.js') : require('./v1.js')
var commands = require('./commands.js')
var watch = require('./firstmessage.js')

// Bytes that clients log must not get between the lines.
var out = process.stdout.write.bind(process.stdout)
process.stdout.write = process.stderr.write.bind(process.stderr)

function report (message) {
  out(JSON.stringify(message) + '\n')
}

var guard = false
process.on('uncaughtException', function (err) {
  report({ event: 'crash', message: String((err && err.stack) || err) })
  if (!guard && !/cannot signal after peer is destroyed/.test(err && err.message)) process.exit(70)
})

var command = commands(function (opts, report) {
  return create(opts, report, watch(require('@roamhq/wrtc'), opts.first))
}, report)
var rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', function (text) {
  var lines = (rest + text).split('\n')
  rest = lines.pop()
  lines.forEach(function (line) {
    var args = JSON.parse(line)
    if (args.command === 'exit') process.exit(0)
    if (args.command === 'start') guard = !!args.guard
    command(args, report)
  })
})
// The test is gone.
process.stdin.on('end', function () { process.exit(0) })
