import Host

/// One opened file of recorded events, read front to back. One conforming type per container.
public protocol EventReader: AnyObject {
  /// The container's name: `xtc1`, `xtc2`, `hdf5`, `png`, `jpeg`, `tiff`, `edf`, `cbf`, `smv`, `matlab`, `npy`, `npz`.
  static var container: String { get }
  /// Whether a file that starts with `head` (up to 64 bytes) and is named `path` is of this container.
  static func recognizes(head: [UInt8], path: String) -> Bool
  init(opening path: String) throws(InputError)
  /// The next event, `nil` at the end. Throws at the first byte that does not fit; never returns a partial event.
  func next() throws(InputError) -> Event?
  /// Whether payloads come with their bytes, as they do unless this is set to false. Where only identity, labels and the description
  /// of payloads count, a container may then leave the bytes out and be faster; it need not.
  var readsBytes: Bool { get set }
  /// Where payloads of earlier events come back to when they are no longer needed; a container may read into them, it need not.
  var spareBytes: SpareBytes? { get set }
  /// What was passed over so far: reason -> count, such as `AcqWaveform v1: 12`.
  var skipped: [String: Int] { get }
  /// Transitions seen so far beside the events they frame: name -> count, such as `BeginRun: 1`.
  var transitions: [String: Int] { get }
  /// What to add to the seconds of an event's identity to get Unix time, s.
  static var epoch_s: Double { get }
}

extension EventReader {
  /// Bytes come with what is read anyway.
  public var readsBytes: Bool {
    get { true }
    set { _ = newValue }
  }
  /// Every payload has bytes of its own.
  public var spareBytes: SpareBytes? {
    get { nil }
    set { _ = newValue }
  }
  /// None: most containers hold only events.
  public var transitions: [String: Int] { [:] }
  /// Nothing: seconds are Unix time.
  public static var epoch_s: Double { 0 }
}
