// Package hostile tests the receiver on targets that mean harm, or that are merely
// broken, over real connections.
package hostile
