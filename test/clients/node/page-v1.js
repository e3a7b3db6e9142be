'use strict'

require('./page.js')(require('./v1.js'))
