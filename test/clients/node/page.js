'use strict'

// A node as a web page. The test calls window.command with one JSON object and
// gets answers and events through the binding window.report.

var commands = require('./commands.js')

module.exports = function page (create) {
  function report (message) {
    window.report(JSON.stringify(message))
  }

  window.addEventListener('error', function (event) {
    report({ event: 'crash', message: String((event.error && event.error.stack) || event.message) })
  })
  window.addEventListener('unhandledrejection', function (event) {
    report({ event: 'crash', message: String((event.reason && event.reason.stack) || event.reason) })
  })

  var run = commands(create, report)
  window.command = function (args) { run(args, report) }
}
