/// The shift that all pixels of one readout block share in one event, and how it is estimated.
public enum CommonMode: String, Codable, Sendable {
  case none
}
