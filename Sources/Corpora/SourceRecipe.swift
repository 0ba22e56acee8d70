import Frames
import Host
import Tensors

/// One kind of raw data that goes into a corpus.
public struct SourceRecipe: Codable, Hashable, Sendable {
  /// How a detector's panels become pictures.
  public enum View: String, Codable, Sendable, CaseIterable {
    /// All panels where the geometry puts them; one picture a frame.
    case assembled
    /// One picture a panel.
    case panels
    /// The frame as it is stored, which must be one panel.
    case picture
  }

  /// How a picture that is not assembled meets the corpus's size.
  public enum Fit: String, Codable, Sendable, CaseIterable {
    /// The whole picture, centred; what is left over has weight 0.
    case inside
    /// The largest centred part with the corpus's aspect ratio.
    case crop
    /// Rows and columns scaled separately.
    case stretch
  }

  /// What to do with pixels that are no numbers (NaN, infinities).
  public enum NonFinite: String, Codable, Sendable, CaseIterable { case error, mask }

  public var name: String
  /// Patterns; see `FilePattern`.
  public var files: [String]
  /// HDF5: the path of the images.
  public var dataset: String?
  /// NPZ: the array.
  public var key: String?
  /// Only payloads whose source name or alias (AliasConfig of LCLS-I) contains this.
  public var source: String?
  /// LCLS-II event batches: the destination of the subframe to take; see `EventBatch`.
  public var subframe: Int?
  /// A catalogue name, or `automatic`.
  public var detector: String
  /// A psana calibration folder; `nil` leaves the signal as `Detector.calibrate` gives it without constants.
  public var calibration: String?
  /// The shift that all pixels of one readout block share; see `CommonMode`.
  public var commonMode: CommonMode
  /// Which pixels the calibration masks; `PixelMask.names`. Empty: by status and hand-made mask.
  public var maskedBy: [String] = []
  /// A geometry file of psana or CrystFEL, or `calibration` for the calibration folder's, by run.
  public var geometry: String?
  public var view: View
  /// The detector turned by a symmetry of the square before it is framed, with `view: assembled`: left-right gives the corpus that the
  /// mirrored detector makes of the same raw runs, whose pictures are the mirror images. As recorded where absent.
  public var symmetry: Symmetry?
  public var fit: Fit
  /// Consecutive frames that become the rows of one picture, for line cameras; 1 for others.
  public var stack: Int
  public var experiment: ExperimentRule
  public var run: RunRule
  public var crop: Crop?
  /// What is to lie in the middle of the picture; the middle of the source where absent. What then has no counterpart on the other side is
  /// left out.
  public var centre: Centre?
  public var nonFinite: NonFinite
  /// A raw value that means "nothing measured here", such as the 0 between the panels of a picture assembled elsewhere.
  public var gapValue: Float?
  /// How many damaged events are passed over before the source is refused.
  public var damageLimit: DamageLimit
  /// Takes each n-th frame.
  public var every: Int
  /// Takes at most this many pictures' events.
  public var limit: Int?
  /// Instead of the corpus's.
  public var tone: ToneMap?
  public var labels: [LabelRule]

  /// Half-open ranges of stored pixels, the same for each panel.
  public struct Crop: Codable, Hashable, Sendable {
    public var rows: [Int]
    public var columns: [Int]
    public init(rows: Range<Int>, columns: Range<Int>) {
      (self.rows, self.columns) = ([rows.lowerBound, rows.upperBound], [columns.lowerBound, columns.upperBound])
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case rows, columns }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      (rows, columns) = (try box.required(.rows), try box.required(.columns))
      for (key, range) in [(CodingKeys.rows, rows), (.columns, columns)]
      where !(range.count == 2 && range[0] >= 0 && range[0] < range[1]) {
        throw box.refused(key, expected: "[first, end] with 0 <= first < end", found: "\(range)")
      }
    }
  }

  public init(
    name: String, files: [String], dataset: String? = nil, key: String? = nil, source: String? = nil,
    subframe: Int? = nil, detector: String = "automatic", calibration: String? = nil, commonMode: CommonMode = .none, geometry: String? = nil, view: View = .picture,
    fit: Fit = .inside, stack: Int = 1, experiment: ExperimentRule = .recorded, run: RunRule = .recorded, crop: Crop? = nil,
    nonFinite: NonFinite = .error, gapValue: Float? = nil, damageLimit: DamageLimit = .usual, every: Int = 1, limit: Int? = nil, tone: ToneMap? = nil, labels: [LabelRule] = []
  ) {
    (self.name, self.files, self.dataset, self.key, self.source) = (name, files, dataset, key, source)
    (self.detector, self.calibration, self.geometry, self.view) = (detector, calibration, geometry, view)
    (self.fit, self.stack, self.experiment, self.run, self.crop) = (fit, stack, experiment, run, crop)
    (self.subframe, self.commonMode, self.nonFinite, self.gapValue) = (subframe, commonMode, nonFinite, gapValue)
    self.damageLimit = damageLimit
    (self.every, self.limit, self.tone, self.labels) = (every, limit, tone, labels)
  }

  var mask: PixelMask { get throws(InputError) { maskedBy.isEmpty ? PixelMask() : try PixelMask(maskedBy) } }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, files, dataset, key, source, subframe, detector, calibration, commonMode, maskedBy, geometry, view, symmetry, fit, stack
    case experiment, run, crop, centre, nonFinite, gapValue, damageLimit, every, limit, tone, labels
  }

  public init(from decoder: any Decoder) throws {
    let box = try StrictContainer<CodingKeys>(decoder)
    func choice<T: RawRepresentable & CaseIterable>(_ key: CodingKeys, or usual: T) throws -> T where T.RawValue == String {
      guard let text: String = try box.optional(key) else { return usual }
      guard let value = T(rawValue: text) else {
        throw box.refused(key, expected: T.allCases.map(\.rawValue).joined(separator: ", "), found: "\"\(text)\"")
      }
      return value
    }
    self.init(
      name: try box.required(.name), files: try box.required(.files), dataset: try box.optional(.dataset),
      key: try box.optional(.key), source: try box.optional(.source),
      subframe: try box.optional(.subframe), detector: try box.value(.detector, or: "automatic"),
      calibration: try box.optional(.calibration), commonMode: try box.value(.commonMode, or: .none), geometry: try box.optional(.geometry),
      view: try choice(.view, or: View.picture), fit: try choice(.fit, or: Fit.inside), stack: try box.value(.stack, or: 1),
      experiment: try box.value(.experiment, or: .recorded), run: try box.value(.run, or: .recorded),
      crop: try box.optional(.crop), nonFinite: try choice(.nonFinite, or: NonFinite.error),
      gapValue: try box.optional(.gapValue), damageLimit: try box.value(.damageLimit, or: .usual), every: try box.value(.every, or: 1), limit: try box.optional(.limit),
      tone: try box.optional(.tone), labels: try box.value(.labels, or: []))
    symmetry = try box.optional(.symmetry)
    if let symmetry, view != .assembled {
      throw box.refused(
        .symmetry, expected: "view: assembled beside it, since a panel's own picture does not depend on where the panel lies",
        found: "symmetry: \(symmetry.keyword) with view: \(view.rawValue)")
    }
    centre = try box.optional(.centre)
    if case .beam? = centre, view != .assembled {
      throw box.refused(.centre, expected: "[row, column], or beam with view: assembled", found: "beam with view: \(view.rawValue)")
    }
    maskedBy = try box.value(.maskedBy, or: [])
    if let unknown = maskedBy.first(where: { !PixelMask.names.contains($0) }) {
      throw box.refused(.maskedBy, expected: PixelMask.names.joined(separator: ", "), found: "\"\(unknown)\"")
    }
    guard !name.isEmpty, name.utf8.allSatisfy({ $0 == 0x5F || $0 == 0x2D || isAlphanumeric($0) }) else {
      throw box.refused(.name, expected: "letters, digits, - and _", found: "\"\(name)\"")
    }
    guard !files.isEmpty else { throw box.refused(.files, expected: "at least one pattern", found: "none") }
    if let subframe, !(0...255).contains(subframe) { throw box.refused(.subframe, expected: "0 to 255", found: "\(subframe)") }
    guard every >= 1 else { throw box.refused(.every, expected: "1 or more", found: "\(every)") }
    guard stack >= 1, stack <= 8192 else { throw box.refused(.stack, expected: "1 to 8192", found: "\(stack)") }
    if let limit, limit < 1 { throw box.refused(.limit, expected: "1 or more", found: "\(limit)") }
    guard view != .assembled || geometry != nil else {
      throw box.refused(.geometry, expected: "a geometry file, which view: assembled needs", found: "none")
    }
    guard geometry != SourceRecipe.geometryOfCalibration || calibration != nil else {
      throw box.refused(.geometry, expected: "a calibration folder beside geometry: calibration", found: "none")
    }
    guard crop == nil || view != .assembled else {
      throw box.refused(.crop, expected: "view: panels or picture beside a crop", found: "view: assembled")
    }
    guard stack == 1 || (view == .picture && calibration == nil) else {
      throw box.refused(.stack, expected: "1 unless view: picture without calibration", found: "\(stack)")
    }
    var names: Set<String> = []
    for label in labels where !names.insert(label.name).inserted {
      throw box.refused(.labels, expected: "different names", found: "\"\(label.name)\" twice")
    }
    for (position, label) in labels.enumerated() {
      guard case .path(let rules) = label.origin else { continue }
      let known = Set(labels[..<position].map(\.name))
      for name in rules.flatMap(\.labels) where !known.contains(name) {
        throw box.refused(.labels, expected: "a path made of labels listed before \(label.name)", found: "{\(name)}")
      }
    }
  }
}
