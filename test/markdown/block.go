package markdown

import (
	"regexp"
	"strings"
)

// Block is a code block.
type Block struct {
	Language string // what follows the fence; may be empty
	Text     string // its lines, each with its end
}

var block = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// Blocks are the code blocks of a text, in their order. Those that are indented, as in
// lists, are not found.
func Blocks(text string) []Block {
	var blocks []Block
	for _, match := range block.FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, Block{match[1], match[2]})
	}
	return blocks
}

// Section is what stands below a heading of the second level, to the next one. It is
// empty if there is no such heading.
func Section(document, heading string) string {
	_, rest, _ := strings.Cut(document, "\n## "+heading+"\n")
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}
