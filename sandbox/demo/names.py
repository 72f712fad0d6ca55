"""Small lists that realistic people are put together from."""

FIRST_NAMES = (
    "Anna", "Bilal", "Chiara", "Dmytro", "Elif", "Fatima", "Georg", "Hannah", "Ines", "Jonas", "Katarzyna", "Liam",
    "Marta", "Nils", "Olivia", "Pedro", "Quentin", "Rosa", "Sven", "Tomasz", "Ursula", "Viktor", "Wanda", "Xenia",
    "Yusuf", "Zoe", "Emma", "Noah", "Mia", "Luca", "Sofia", "Paul", "Clara", "Felix", "Ida", "Oskar",
)  # fmt: skip
LAST_NAMES = (
    "Abel", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Hoffmann", "Ivanova", "Jansen", "Keller",
    "Lindgren", "Moreau", "Novak", "Olsen", "Petrova", "Quist", "Rossi", "Schmidt", "Taylor", "Ulrich", "Vogel",
    "Weber", "Yilmaz", "Zeller", "Meyer", "Nowak", "Santos", "Dupont", "Larsen", "Huber", "Bianchi",
)  # fmt: skip
UNICODE_NAMES = (
    ("Zoë", "Brontë"), ("Łukasz", "Wałęsa"), ("Σοφία", "Παπαδοπούλου"), ("Дмитрий", "Щербаков"), ("陽子", "山田"),
    ("נועה", "כהן"), ("فاطمة", "الزهراء"), ("Siân", "O’Connor-Ní Bhriain"), ("Jürgen", "Größ"), ("María José", "Núñez"),
    ("Ğülşen", "Iğdır"), ("Nguyễn", "Thị Hương"), ("सीता", "शर्मा"), ("Smile 😀", "Emoji 👩‍👩‍👧"),
)  # fmt: skip
SALUTATIONS = ("Ms.", "Mr.", "Mx.", "Dr.", "Prof. Dr.", None, None)
JOBS = ("Buyer", "Head of Sales", "Engineer", "Office manager", "Founder", "Consultant", "Teacher", None)
STREETS = (
    "Main Street",
    "Rue de la Paix",
    "Lindenweg",
    "Via Roma",
    "Calle Mayor",
    "High Street",
    "Storgata",
    "Am Markt",
)
CITIES = (
    ("Berlin", "10115", "Germany"), ("Lyon", "69001", "France"), ("Wien", "1010", "Austria"), ("Oslo", "0150", "Norway"),
    ("London", "SW1A 1AA", "United Kingdom"), ("Milano", "20121", "Italy"), ("Kraków", "31-004", "Poland"),
    ("Porto", "4000-001", "Portugal"), ("Zürich", "8001", "Switzerland"), ("København", "1050", "Denmark"),
)  # fmt: skip
DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "shop.example.org")
