// Package lookout asks the seeds of all networks how they are, and connects to them as
// clients do, on a schedule of its own. Whoever wants to know gets what was found last,
// at once: a seed that answers slowly, or not at all, keeps nobody waiting.
//
// What a seed does once may be chance. One that was reached and then is not is tried
// again before that is told, since its addresses are withdrawn for it.
package lookout
