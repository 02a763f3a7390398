//! The words themselves: data only, read by `words`.
//!
//! Lower case, blank-separated; a word may stand in several lists (its flags add up). Only the first sixteen
//! bytes of a word count.

use super::words::flag::{
    ADDR, ADDR_KEY, BANK, BEARER, BEFORE_NAME, BORN, CARD, COMMON, DOC, GREETING, HANDLE, ID,
    INTRO, KEY, MED, NAME, NAME_KEY, ORG, OTHER, PARTICLE, PASSWORD, PHONE, PLACE, QUALIFIER, SSN,
    STREET_AFTER, STREET_BEFORE, STREET_WEAK, TITLE, TOKEN, UNIT, UNSURE, USER, VERSION, WALLET,
};

/// Given names.
pub(super) const NAMES_GIVEN: &str = include_str!("data/given_names.txt");
/// Family names.
pub(super) const NAMES_FAMILY: &str = include_str!("data/family_names.txt");

/// Flags and the words that carry them.
pub(super) const WORDS: &[(u64, &str)] = &[
    (
        PHONE,
        "phone phones telephone tel mobile cell cellphone call called calling dial fax desk landline whatsapp sms \
          telefon telefonnummer telefonnr mobil mobilnummer handynummer rufnummer anrufen  téléphone tél \
          appelez appeler teléfono telefono tlf móvil movil celular llamar llame cellulare cell chiamare \
         telefoon telefoonnummer mobiel mobiele gsm bellen telefone telemóvel ligar contacto msisdn phonenumber \
         phoneno reach answering  voicemail  hotline  电话 電話 手机 携帯 携帯電話 联系电话 電話番号",
    ),
    (
        CARD,
        "card cards cc creditcard debitcard pan visa mastercard amex maestro discover kreditkarte karte \
         kartennummer carte tarjeta carta cartão creditcardnummer cardnumber cardno 信用卡 カード",
    ),
    (SSN, "ssn social socialsecurity socialsecuritynumber itin"),
    (
        BORN,
        "dob birth birthdate birthday born dateofbirth birthdt bday geburtsdatum geboren geburtstag geb naissance né née \
         nacimiento nacido nacida fechanacimiento nascita nato nata nascimento nascido nascida geboortedatum \
         datanascita 出生日期 生年月日 出生",
    ),
    (
        ID,
        "dni nie nif nir bsn burgerservicenummer sofinummer cpf cnpj codice fiscale cf aadhaar aadhar uidai pesel nip \
         personnummer personnr cpr hkid sin tfn steuer steuerid steueridentifikationsnummer steuernummer idnr tin ahv avs \
         insee sécu sécurité securite nationalid national rut cuit cuil curp rfc tckn kimlik egn cnp rodné pps ppsn \
         svnr sozialversicherungsnummer fødselsnummer fodselsnummer nric fin rrn taxpayer identity contribuinte nino \
         insurance rijksregisternummer rijksregister identification identificación identità isikukood hetu henkilötunnus 身份证 身份证号 マイナンバー \
         ssn_number taxid tax_id citizen resident personalausweis vat citizenship pancard fiscaal sofi social",
    ),
    (
        DOC,
        "passport passeport reisepass pass-nr pasaporte passaporto paspoort passaporte passportno passportnumber \
         licence license licenses driver drivers driving führerschein führerscheinnummer permis carnet conducir patente \
         rijbewijs rijbewijsnummer habilitação cnh ausweis ausweisnummer personalausweis personalausweisnummer 护照 パスポート",
    ),
    (
        BANK,
        "account acct accounts bank routing aba sort sortcode bsb konto kontonummer bankverbindung blz cuenta compte \
         conto rekening rekeningnummer conta agência checking savings wire accountnumber accountno bankaccount 口座",
    ),
    (
        MED,
        "nhs mrn medical patient medicare medicaid mbi chart patientid patientennummer versichertennummer krankenkasse \
         health hospital insured member clinic",
    ),
    (
        OTHER,
        "order orders invoice invoices ticket tickets serial isbn issn ean upc gtin sku ref reference parcel tracking \
         shipment bestellung auftrag rechnung commande facture pedido factura ordine fattura encomenda fatura build \
         revision commit sha hash trace span request requestid coordinates lat lng lon latitude longitude timestamp ts epoch offset \
         retry total sum amount price cost id ids pid uid gid seq sequence version row rows bytes size block blk blob part \
         item product article nonce count duration ms latency port status error errno line took job task run \
         pod session conversation thread message msg event batch arn role order_id transaction txn tx case bug issue pr",
    ),
    (
        VERSION,
        "version ver section sections chapter clause rfc v build release rev firmware kernel upgrade upgraded semver sdk driver_version",
    ),
    (
        HANDLE,
        "follow twitter instagram insta handle tweet tweets tiktok telegram ig github mastodon threads snapchat tag \
         tagged dm discord follower followers seguir folgt sigue suivez segui",
    ),
    (
        ADDR,
        "address addresses addr adresse adres indirizzo dirección direccion endereço endereco adress anschrift domicilio \
         domicile residence lives live living lived wohnt wohnhaft habite vive abita woont mora located location meet \
         street street_address ship shipping billing deliver delivery mail sent send taxi arrived return office offices \
         住所 地址",
    ),
    (
        ADDR_KEY,
        "address addr adresse adres indirizzo dirección direccion endereço endereco adress anschrift wohnhaft domicilio \
         street_address shipping_address billing_address streetaddress 住所 地址",
    ),
    (
        BEFORE_NAME,
        "by with for said says asked told and from contact reach meet meeting called named between tell ask cc \
         directed starring featuring features feat produced written sung performed including add commenter about \
         regards sincerely thanks cheers best von mit für par avec pour por con para per di door met voor \
         under is sr assistant to employee titulaire kontoinhaber belongs customer client patient user",
    ),
    (
        WALLET,
        "wallet btc bitcoin eth ethereum crypto usdt usdc ltc litecoin monero xmr xrp tron trx doge solana",
    ),
    (
        PASSWORD,
        "password passwd pwd pass passphrase passcode pw userpassword passwort kennwort contraseña contrasena clave \
         motdepasse passe senha wachtwoord accountkey sharedaccesskey 密码 パスワード pgpassword mysql_pwd",
    ),
    (
        TOKEN,
        "token secret apikey api_key apitoken authtoken accesstoken auth_token access_token refresh_token refreshtoken id_token \
         credential credentials secretkey accesskey privatekey clientsecret client_secret authkey sas signature sig \
         sessiontoken session_token csrf xsrf webhook bearer_token encryptionkey appsecret sessionid sessid phpsessid \
         jsessionid otp geheimnis schlüssel segredo segreto geheim",
    ),
    (KEY, "key"),
    (
        QUALIFIER,
        "api access secret private encryption signing auth shared account storage master service client aws azure gcp \
         openai anthropic google stripe sendgrid twilio app application consumer license subscription deploy webhook ssh",
    ),
    (BEARER, "bearer basic apikey token negotiate"),
    (
        USER,
        "user username usr login loginname userid user_name uname benutzer benutzername utilisateur usuario utente \
         gebruiker gebruikersnaam usuário screenname screen_name nickname nick 用户名 logname",
    ),
    (
        NAME_KEY,
        "fullname full_name first_name last_name firstname lastname given_name givenname family_name familyname surname \
         forename middle_name customer_name owner holder cardholder accountholder account_holder titulaire \
         kontoinhaber inhaber beneficiary recipient sender passenger guest patient employee author signed displayname \
         display_name realname vorname nachname nachnaam voornaam prénom prenom nom nombre apellido apellidos nome \
         cognome sobrenome naam intestatario titular contact_name customername person insured attendee assignee \
         manager caller 姓名 名前 氏名",
    ),
    (NAME, "name names named naam nom nombre nome chiamo heiße heisse heet llamo appelle"),
    (
        TITLE,
        "mr mrs ms miss mx dr prof professor sir madam lady lord herr frau monsieur madame mme mlle m. señor señora srta sr \
         sra don doña signor signora sig dott dottore dottoressa avv dhr mevr mevrouw mw meneer dona senhor senhora \
         frl fräulein judge officer sergeant captain doctor pan pani ing",
    ),
    (
        GREETING,
        "hi hello dear hey hallo liebe lieber sehr bonjour cher chère salut hola querido querida estimado estimada ciao \
         caro cara gentile beste geachte olá prezado prezada oi morning evening thanks bedankt danke merci gracias grazie",
    ),
    (INTRO, "i'm im am heiße heisse heet llamo chiamo appelle chamo called named signed"),
    (
        ORG,
        "inc ltd llc plc gmbh ag ab hb nv bv b.v sa s.a spa srl s.r.l sp kg ohg co corp corporation company group grupa grp \
         holding holdings sons son partners partner associates associés asociados associados hijos fils filhos figli \
         orchestra university universität université college school bank club institute foundation stiftung stichting \
         limited llp kgaa mbh ev scop sarl sas sasu gbr eurl lda ltda eireli me epp sociedad societa société sdn bhd pty \
         hospital airlines airport hotel museum theatre theater records band festival team league party ministry & \
         industries industrias systems software labs technologies technology solutions services enterprises ventures",
    ),
    (
        STREET_AFTER,
        "alley arcade avenue ave av boulevard blvd brow causeway circle circles court courts ct crescent \
         crossroad drive esplanade expressway highway isle lane ln mews motorway nagar parkway parkways promenade \
         rd road roads row rue square squares sq st street streets terrace trail viaduct way chowk marg ganj quay \
         wharf",
    ),
    (
        STREET_AFTER | STREET_WEAK,
        "anchorage basin break formation glade interchange quad slope sound strand turn retreat vale link concourse cross entrance fairway \
         annex bayou beach bend bluff bluffs bottom branch bridge brook brooks burg burgs bypass camp canyon cape \
         center centre centers cliff cliffs club common commons corner corners course cove coves crest crossing \
         curve dale dam divide drives dr estate estates extension extensions falls ferry field fields flat flats \
         ford fords forest forge forges fork forks fort freeway garden gardens gateway gateways glen glens green \
         greens grove groves harbor harbors haven heights hill hills hollow inlet island islands junction \
         junctions key keys knoll knolls lake lakes land landing light lights loaf lock locks lodge loop mall \
         manor manors meadow meadows mill mills mission mount mountain mountains neck orchard oval overpass park \
         parks pass passage path pike pine pines place pl plain plains plaza point points port ports prairie \
         radial ramp ranch rapid rapids rest ridge ridges rise river route run shoal shoals shore shores skyway \
         spring springs spur spurs station stravenue stream summit throughway trace track trafficway trailer \
         tunnel turnpike underpass union unions valley valleys via view views village villages ville vista walk \
         walks wall ways well wells woods yard gate dell close",
    ),
    (
        STREET_BEFORE,
        "via viale piazza piazzale corso contrada rotonda strada vicolo borgo largo stretto incrocio canale rue avenue boulevard chemin place \
         impasse allée allee quai route calle avenida avda callejón callejon cañada carrera camino paseo plaza pasaje pasadizo \
         ronda rambla rambles cuesta glorieta urbanización vial acceso alameda circuito privada prolongación calzada \
         continuación corredor andador ampliación cerrada diagonal eje peatonal retorno viaducto rua travessa \
         praça praca alameda parque periférico periferico sítio setor quinta trecho trevo vereda viela vila viaduto via favela feira fazenda \
         estação estrada esplanada distrito condomínio conjunto colônia chácara campo aeroporto área jardim ladeira \
         lago lagoa loteamento morro núcleo passarela pátio recanto residencial rodovia ul ulica al aleja plac pl os osiedle \
         av r beco calçada azinhaga",
    ),
    (
        UNIT,
        "apt apartment suite ste unit flat floor room studio appt appartement appartamento apartamento apto piso puerta \
         interno int piano edificio edif bus lok mieszkanie wohnung top building bldg rd interior depto",
    ),
    (
        PARTICLE,
        "van de der den von zu zur la le du da do dos das di del della el al bin ibn ter ten los las des y e degli dei af \
         av st san d'",
    ),
    (
        PLACE,
        "port south north east west new lake saint st san santa são sainte fort mount villa bad nueva nuevo old upper lower \
         great little los las el la sant sankt nowy nowa stara cape isle university city town republic",
    ),
    (
        COMMON,
        "the a an this that these those it its he she they we you i my your his her their our who what when where why how \
         which is are was were be been has have had do does did will would can could should may might must shall if \
         then else than not no yes and or but for from with without by at in on to of as up down out over under about \
         into after before between during while since until because so such only own same too very just also please \
         could here there all any both each few more most other some one two three four five six seven eight nine ten \
         compare follow block need want send write what's let get set add call contact meet ask tell see show make use \
         error warn warning info debug fatal failed success user users admin customer client account card phone email mail \
         monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun order number invoice date \
         time name address city state country company office manager team service support request response server api \
         http https get post put delete patch json xml html english german french spanish italian dutch portuguese polish \
         american british chinese japanese kenyan brazilian indian european africa europe america asia united states \
         kingdom north south east west street road avenue lane drive best regards kind sincerely thanks thank hello hi \
         dear good morning evening afternoon welcome sorry bot assistant system human agent model bank credit debit \
         insurance national social security medical record passport driver license licence transfer wire meeting \
         connect connection device tax form bill billing der die das ein eine und oder mit ohne für von zu bei nach \
         ich er sie es wir ihr le la les un une des et ou avec sans pour dans sur je tu il elle nous vous el los las una \
         unos y o con sin para por en yo ella nosotros il lo gli uno con senza per io lui lei noi voi de het een en of met \
         zonder voor ik hij zij wij o os as um uma e ou com sem para por eu ele ela nós adresse adres indirizzo \
         dirección endereço telefon telefono google microsoft amazon apple openai anthropic python java rust kubernetes \
         docker linux windows android chrome firefox safari mozilla github gitlab slack stripe redis kafka postgres \
         mongodb vault terraform ansible prometheus grafana spring django flask node react angular exception traceback \
         null none true false content type accept host agent start end stop open close read connect chat prompt \
         mac binary format apache eclipse visual studio president minister king queen prince princess royal section chapter page figure table part act article web",
    ),
    (
        UNSURE,
        "cassandra jenkins travis hudson hugo sentry linus derby maya siri alexa cortana claude gemini sonnet haiku opus mistral \
         llama grok bard curie davinci babbage orion boston denver dublin luna stella vega helios hermes zeus titan juno red rod will mark may april june august grace hope faith joy rose lily daisy bill art dean dawn eve summer autumn winter \
 rob pat sue chase chance grant drew guy frank earnest miles wade pierce ray jay rich rusty sandy sky star \
 storm sunny ivy iris ruby pearl amber crystal opal olive violet hazel ginger heather holly jasmine \
 basil paris florence austin jordan sydney savannah madison lincoln jackson houston dallas kenya asia india \
 china chelsea brooklyn georgia virginia carolina israel alexandria devon chad dakota montana \
 phoenix london berlin milan roma vienna kingston preston clinton washington orlando   \
 sierra river rio brook forest reed heath glen dale cliff stone major king earl duke prince royal \
 noble bishop pope deacon hunter archer fisher mason porter parker turner walker baker \
 max ace angel christian jesus santa genesis trinity journey destiny harmony melody serenity justice \
 liberty cash case drake falcon phoenix storm page reese love long young white black brown green gray grey \
 blue sage lane rain ocean cruz see mai nur man son day today said sat sun mon \
 april juni juli jan tim can der eden troy apollo atlas ada crystal ruby scala elm clay nova delta \
 tag tip van von del major oil best fair wise strong sharp smart swift rising blank bush banks wood woods hill \
 hall lake marsh moor field fields rivers park ford lane street house church castle bridge gates wall post price \
 bond bell ball berry cherry rice curry cook butler page marshall sergeant carpenter mayor knight knights \
 abbot monk priest english french german holland ireland wales israel roman norman english jansen major \
 jan bear wolf fox bird crow drake swan lamb bull buck hart peacock finch hawk jay wren \
 monday friday january march december november october september february easter noel christmas \
 spring fall gold silver diamond cloud stormy power media data model state test null user admin agent guest \
 info error trace status active order global local remote service trust fund capital general private public sales",
    ),
    (
        COMMON,
        "wife brother sister mother father daughter grandmother grandfather children founders songwriter said",
    ),
];

/// Month names, January first.
pub(super) const MONTHS: [&str; 12] = [
    "january jan januar jänner janvier janv enero ene gennaio gen januari janeiro",
    "february feb februar février févr fevrier febrero febbraio februari fevereiro fev",
    "march mar märz mrz mars marzo maart março marco",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag mei maio",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug août aout agosto ago augustus",
    "september sep sept septembre septiembre settembre set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro",
];
