// Package transporttest tells whether a transport is right: whether it does what
// package transports asks of its interfaces, and what package exchange relies
// on. All transports of this module pass it; so should one of your own:
//
//	func TestConformance(t *testing.T) {
//		transporttest.Run(t, func(t *testing.T) transporttest.Subject {
//			tr := mytransport.New()
//			return transporttest.Subject{Dialer: tr, Listener: tr}
//		})
//	}
package transporttest
