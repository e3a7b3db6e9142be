package resources

import (
	"encoding/json"
	"fmt"
)

// applied is an API type, as a PeerNetwork has it, in the form of its apply
// configuration. Both are the same in JSON.
func applied[Applied any](value any) *Applied {
	out := new(Applied)
	encoded, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(encoded, out)
	}
	if err != nil {
		panic(fmt.Sprintf("%T as an apply configuration: %v", value, err)) // one of the two is not of Kubernetes
	}
	return out
}
