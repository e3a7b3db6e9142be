'use strict'

// Makes the script of a page: `node bundle.js v0|v1 FILE`.

var browserify = require('browserify')
var fs = require('fs')
var path = require('path')

browserify(path.join(__dirname, 'page-' + process.argv[2] + '.js')).bundle(function (err, script) {
  if (err) throw err
  fs.writeFileSync(process.argv[3], script)
})
