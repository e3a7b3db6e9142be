package main

import (
	"fmt"
	"regexp"
	"strings"
)

// What kong says of a flag at the end of the command line, of a list there, of one that
// is followed by another flag, and of a time without a unit.
var (
	noValue = regexp.MustCompile(`^(--[a-z-]+): (?:expected \w+ value but got "(?:EOL|-.*)" \(.*|missing value, .*)$`)
	noUnit  = regexp.MustCompile(`^(--[a-z-]+): expected duration but got "(.*)": time: missing unit in duration`)
)

// plain says of values in this command's words what kong says in its own.
func plain(err error) error {
	if match := noValue.FindStringSubmatch(err.Error()); match != nil {
		return fmt.Errorf("%s needs a value, and none follows", match[1])
	}
	if match := noUnit.FindStringSubmatch(err.Error()); match != nil {
		return fmt.Errorf("%s: %q has no unit; a time is such as 30s, 5m or 1h", match[1], match[2])
	}
	return err
}

// strayArgument says of an argument that belongs to no flag what it was probably meant
// to be. There are none but that of seed check.
func strayArgument(err error) error {
	switch argument, ok := strings.CutPrefix(err.Error(), "unexpected argument "); {
	case !ok:
		return err
	case argument == "true" || argument == "false":
		return fmt.Errorf("%w: what a flag that is on or off is set to follows =, as in --relay-data=false", err)
	default:
		return fmt.Errorf("%w: everything is a flag, but for \"seed check URL\", which tries a seed", err)
	}
}
