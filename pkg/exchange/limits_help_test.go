package exchange

import "testing"

func TestEveryLimitHasHelpAndADefault(t *testing.T) {
	defaults := DefaultLimits()
	for _, name := range LimitNames() {
		help := LimitHelp(name)
		if help == "" || len(help) > 60 {
			t.Errorf("limit %s: help is %q, want one short line", name, help)
		}
		if value := defaults.Get(name); value == "0" || value == "0s" {
			t.Errorf("limit %s: the default is %s, want a value or unlimited", name, value)
		}
		again := Limits{}
		if err := again.Set(name, defaults.Get(name)); err != nil {
			t.Errorf("limit %s: its own default cannot be set: %v", name, err)
		}
	}
	if LimitHelp("nonsense") != "" {
		t.Error("an unknown limit has help")
	}
}
