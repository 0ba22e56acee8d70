import Tensors

/// What makes one X-ray pulse unique: LCLS identifies events by (run, seconds, nanoseconds, fiducial).
public struct EventID: Hashable, Codable, Sendable, Comparable {
  /// The experiment, such as `cxitut13`; empty where the container does not say.
  public var experiment: String
  public var run: Int
  /// As the facility stamps the event: Unix time for LCLS, seconds since 1990-01-01 UTC for LCLS-II (`EventReader.epoch_s`).
  public var seconds: UInt32
  public var nanoseconds: UInt32
  /// The 360 Hz pulse number, 0...131039; 0 where the container has none (LCLS-II).
  public var fiducial: UInt32

  public init(experiment: String = "", run: Int, seconds: UInt32, nanoseconds: UInt32, fiducial: UInt32 = 0) {
    self.experiment = experiment
    self.run = run
    self.seconds = seconds
    self.nanoseconds = nanoseconds
    self.fiducial = fiducial
  }

  public static func < (a: EventID, b: EventID) -> Bool {
    (a.experiment, a.run, a.seconds, a.nanoseconds, a.fiducial) < (b.experiment, b.run, b.seconds, b.nanoseconds, b.fiducial)
  }
}

/// One X-ray pulse as recorded: detector payloads still undecoded, beam-line numbers decoded.
public struct Event: Sendable {
  public var id: EventID
  /// Position among the events of its file, from 0.
  public var index: Int
  public var payloads: [Payload]
  /// Beam-line numbers by name with unit, such as `ebeam.L3Energy_MeV`, `gasDetector.f_11_ENRC_mJ`.
  public var scalars: [String: Double]
  /// What the file says in words: header fields of a picture, texts of an HDF5 file.
  public var texts: [String: String]
  /// EVR event codes, such as 162 (beam kicked).
  public var eventCodes: [Int]
  /// What of the event was recorded but is damaged, and so is not among the others.
  public var damage: [EventDamage] = []

  public init(
    id: EventID, index: Int, payloads: [Payload], scalars: [String: Double] = [:], texts: [String: String] = [:], eventCodes: [Int] = []
  ) {
    self.id = id
    self.index = index
    self.payloads = payloads
    self.scalars = scalars
    self.texts = texts
    self.eventCodes = eventCodes
  }
}
