package generated

import "strings"

// Difference is the first line that two texts differ in, with those before it.
func Difference(before, after string) string {
	old, now := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range old {
		if i >= len(now) || old[i] != now[i] {
			context := strings.Join(old[max(0, i-4):i], "\n")
			return context + "\n- " + old[i] + "\n+ " + strings.Join(now[min(i, len(now)):min(i+1, len(now))], "")
		}
	}
	return "more at the end"
}
