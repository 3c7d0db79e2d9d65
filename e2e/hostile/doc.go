// Package hostile tests the receiver with malicious and broken targets over real connections.
package hostile
