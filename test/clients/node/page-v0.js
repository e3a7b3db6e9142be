'use strict'

require('./page.js')(require('./v0.js'))
