package main

import "runtime/debug"

// version is what the build knows of itself: the module's version, with the
// commit where there is no release.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
